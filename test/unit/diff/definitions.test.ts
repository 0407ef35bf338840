import { deepEqual, match } from 'node:assert/strict';
import type { Revocation } from '../../../lib/backup/manifest.js';
import {
  compareDefinitions,
  type DefinitionComparison,
  showDefinition,
} from '../../../lib/diff/definitions.js';
import { versionsOf } from '../../../lib/schema/server/release.js';
import { atOnce } from '../../support/at-once.js';
import type { Plain } from '../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';

const USERS = spaceRow(512, 'users', {
  format: [
    { name: 'id', type: 'unsigned' },
    { name: 'age', type: 'unsigned' },
  ],
});
const PRIMARY = indexRow(512, 0, 'pk');
const ANN: Plain[] = [32, 1, 'ann', 'user', { 'chap-sha1': 'secret of ann' }];
const GRANT: Plain[] = [1, 32, 'space', 512, 3];

type MaybeVersion = string | undefined;
const versions = (version: MaybeVersion) =>
  version === undefined ? undefined : versionsOf(version);

function compared(
  [left, a]: [SystemRows, MaybeVersion],
  [right, b]: [SystemRows, MaybeVersion],
  [revokedLeft, revokedRight]: [Revocation[], Revocation[]] = [[], []],
): DefinitionComparison {
  return atOnce(
    compareDefinitions(
      { catalog: catalogOf(left), versions: versions(a), manifest: { revoked: revokedLeft } },
      { catalog: catalogOf(right), versions: versions(b), manifest: { revoked: revokedRight } },
    ),
  );
}

function shown(left: SystemRows, right: SystemRows, releases?: [string, string]): string[] {
  const [a, b] = releases ?? ['2.11.0', '2.11.0'];
  return compared([left, a], [right, b]).differences.map(showDefinition);
}

const view = (name: string, sql: string): Plain[] =>
  spaceRow(600, name, { flags: { view: true, sql } });

/** Returns a function that is a trigger, in the form of 3.0 and newer. */
const trigger = (name: string, event: string): Plain[] => [
  ...[name === 'f' ? 100 : 101, 1, name, 0, 'LUA', 'function() end', 'function', [], 'any'],
  ...['none', 'none', true, true, true, ['LUA'], {}, '', '', '', [event]],
];

describe('definitions that are compared', () => {
  for (const [title, left, right, expected] of [
    ['are the same as themselves', { 280: [USERS] }, { 280: [USERS] }, []],
    [
      'are the same under other ids',
      { 280: [USERS], 288: [PRIMARY], 304: [ANN], 312: [GRANT] },
      {
        280: [[600, ...USERS.slice(1)]],
        288: [[600, ...PRIMARY.slice(1)]],
        304: [[40, ...ANN.slice(1)]],
        312: [[1, 40, 'space', 600, 3]],
      },
      [],
    ],
    [
      'tell the engine and the fields of a space',
      { 280: [USERS] },
      {
        280: [
          spaceRow(512, 'users', {
            engine: 'vinyl',
            format: [
              { name: 'id', type: 'unsigned' },
              { name: 'age', type: 'integer', is_nullable: true },
            ],
          }),
        ],
      },
      [
        "~ space 'users': engine memtx -> vinyl; field 2 'age' type unsigned -> integer; field 2 'age' is_nullable none -> true",
      ],
    ],
    [
      'include definitions of one side only',
      { 280: [USERS], 288: [PRIMARY, indexRow(512, 1, 'age')] },
      { 280: [USERS, spaceRow(513, 'more')], 288: [PRIMARY] },
      ["- index 'age' of space 'users'", "+ space 'more'"],
    ],
    [
      'tell an option of a part that is true from one that is an empty text',
      {
        280: [USERS],
        288: [indexRow(512, 0, 'pk', { parts: [{ field: 0, type: 'str', x: true }] })],
      },
      {
        280: [USERS],
        288: [indexRow(512, 0, 'pk', { parts: [{ field: 0, type: 'str', x: '' }] })],
      },
      ["~ index 'pk' of space 'users': parts field 1 str x -> field 1 str x ''"],
    ],
    [
      'tell the parts of an index',
      { 280: [USERS], 288: [PRIMARY] },
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { parts: [[1, 'STR']] })] },
      ["~ index 'pk' of space 'users': parts field 1 unsigned -> field 2 str"],
    ],
    [
      'show no hash of a password',
      { 304: [ANN] },
      { 304: [[32, 1, 'ann', 'user', { 'chap-sha1': 'another' }]] },
      ["~ user 'ann': password differs"],
    ],
    [
      'include privileges and their grantors',
      { 280: [USERS], 304: [ANN], 312: [GRANT, [1, 32, 'universe', 0, 24]] },
      { 280: [USERS], 304: [ANN], 312: [[32, 32, 'space', 512, 1]] },
      [
        "~ grant on space 'users' to user 'ann': privileges read,write -> read; grantor user 'admin' -> user 'ann'",
        "- grant of session,usage on universe to user 'ann'",
      ],
    ],
    [
      'ignore the ids of owners and grantors',
      { 280: [[512, 32, ...USERS.slice(2)]], 304: [ANN], 312: [[32, 2, 'space', 512, 1]] },
      {
        280: [[600, 40, ...USERS.slice(2)]],
        304: [[40, ...ANN.slice(1)]],
        312: [[40, 2, 'space', 600, 1]],
      },
      [],
    ],
    [
      'tell whether people or a configuration keep a user and a grant',
      { 280: [USERS], 304: [ANN], 312: [GRANT] },
      {
        280: [USERS],
        304: [[...ANN, [], 0, { origins: { config: true } }]],
        312: [[...GRANT, { origins: { '': 1, config: 2 } }]],
      },
      [
        '~ user \'ann\': options none -> {"origins":{"config":true}}',
        '~ grant on space \'users\' to user \'ann\': options none -> {"origins":{"":1,"config":2}}',
      ],
    ],
    [
      'include previous passwords, without showing them',
      { 304: [[...ANN, ['hash of the past'], 1700000000]] },
      { 304: [[...ANN, [], 1800000000]] },
      ["~ user 'ann': password history differs"],
    ],
    [
      'include the events of a function, whatever the id of the space is',
      {
        280: [USERS, spaceRow(513, 'more')],
        296: [trigger('f', 'box.space[512].on_replace'), trigger('g', 'box.space[512].on_replace')],
      },
      {
        280: [spaceRow(513, 'users', { format: USERS[6] as Plain[] }), spaceRow(512, 'more')],
        296: [trigger('f', 'box.space[513].on_replace'), trigger('g', 'box.space[512].on_replace')],
      },
      [
        "~ function 'g': trigger box.space.on_replace of space 'users' -> box.space.on_replace of space 'more'",
      ],
    ],
    [
      'tell values of sequences',
      { 284: [[1, 1, 'ids', 1, 1, 100, 1, 0, false]], 285: [[1, 7]] },
      { 284: [[9, 1, 'ids', 2, 1, 100, 1, 0, false]], 285: [[9, 8]] },
      ["~ sequence 'ids': step 1 -> 2; value 7 -> 8"],
    ],
    [
      'do not mind when a function was made, nor how vinyl numbers an index',
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { options: { unique: true, lsn: 5 } })] },
      { 280: [USERS], 288: [indexRow(512, 0, 'pk', { options: { lsn: 9, unique: true } })] },
      [],
    ],
    [
      'tell marks of applications',
      { 272: [['oncedone']] },
      { 272: [['oncemore']] },
      ["- mark 'oncedone'", "+ mark 'oncemore'"],
    ],
    [
      'include each field of a mark, however many it has',
      {
        272: [
          ['vshard_version', 0, 1, 41, 0],
          ['one', 1],
          ['same', 0, null],
          ['null', null],
        ],
      },
      { 272: [['vshard_version', 0, 1, 41], ['one', 2], ['same', 0, null], ['null']] },
      [
        "~ mark 'vshard_version': value [0,1,41,0] -> [0,1,41]",
        "~ mark 'one': value 1 -> 2",
        "~ mark 'null': value null -> none",
      ],
    ],
  ] as readonly [string, SystemRows, SystemRows, string[]][]) {
    it(title, () => {
      deepEqual(shown(left, right), expected);
    });
  }

  it('are equal if only 3.x writes them in another way', () => {
    const old = { 280: [spaceRow(512, 'cache', { flags: { temporary: true } })] };
    const late = { 280: [spaceRow(512, 'cache', { flags: { type: 'data-temporary' } })] };
    deepEqual(shown(old, late, ['2.6.0', '3.2.1']), []);
    deepEqual(shown(late, old, ['3.2.1', '2.6.0']), []);
  });
});

describe('definitions of two versions', () => {
  const OLD = '2.6.0';
  const NEW = '3.2.1';
  const TABLE = spaceRow(512, 'T', { format: [{ name: 'A', type: 'integer' }] });

  it('are equal if a restore of one side would write the other, in either order', () => {
    const cases: [from: string, to: string, before: string, after: string][] = [
      [
        OLD,
        NEW,
        'CREATE VIEW v AS SELECT a FROM t',
        'CREATE VIEW "V" AS SELECT "A" FROM SEQSCAN "T"',
      ],
      [
        NEW,
        OLD,
        'CREATE VIEW V AS SELECT A FROM SEQSCAN T',
        'CREATE VIEW "V" AS SELECT "A" FROM  "T"',
      ],
    ];
    for (const [from, to, before, after] of cases) {
      const original: SystemRows = { 280: [TABLE, view('V', before)] };
      const restored: SystemRows = { 280: [TABLE, view('V', after)] };
      deepEqual(shown(original, restored, [from, to]), [], before);
      deepEqual(shown(restored, original, [to, from]), [], before);
    }
  });

  it('report which side was converted, and both versions', () => {
    const original: SystemRows = { 280: [TABLE, view('V', 'CREATE VIEW v AS SELECT a FROM t')] };
    const sql = 'CREATE VIEW "V" AS SELECT "A" FROM SEQSCAN "T"';
    const restored: SystemRows = { 280: [TABLE, view('V', sql)] };
    deepEqual(compared([original, OLD], [restored, NEW]).converted, {
      side: 'A',
      from: '2.6.0',
      to: '3.2.1',
      notes: [],
    });
    deepEqual(compared([restored, NEW], [original, OLD]).converted?.side, 'B');
    deepEqual(compared([original, OLD], [original, OLD]).converted, undefined);
  });

  it('differ if more than the form of the version changed', () => {
    const before: SystemRows = { 280: [TABLE, view('V', 'CREATE VIEW v AS SELECT a FROM t')] };
    const sql = 'CREATE VIEW "V" AS SELECT "A" + 1 FROM SEQSCAN "T"';
    const after: SystemRows = { 280: [TABLE, view('V', sql)] };
    const [line, ...others] = shown(before, after, [OLD, NEW]);
    match(line!, /^~ view 'V': sql CREATE VIEW "V" AS SELECT "A" FROM SEQSCAN "T" -> .*\+ 1/);
    deepEqual(others, []);
  });

  it('report what the conversion left out, without a difference', () => {
    const check: Plain[] = [512, 'off', false, 'SQL', 'a > 0', false];
    const { differences, converted } = compared(
      [{ 280: [TABLE], 364: [check] }, OLD],
      [{ 280: [TABLE] }, NEW],
    );
    deepEqual(differences, []);
    match(converted?.notes.join('\n') ?? '', /^check 'off' of space 'T' is disabled and left out/);
  });

  it("are read in the other side's version if one has no version", () => {
    const unnoted: SystemRows = { 280: [TABLE, view('V', 'CREATE VIEW v AS SELECT a FROM t')] };
    const sql = 'CREATE VIEW "V" AS SELECT "A" FROM SEQSCAN "T"';
    const restored: SystemRows = { 280: [TABLE, view('V', sql)] };
    deepEqual(compared([unnoted, undefined], [restored, NEW]).differences, []);
    deepEqual(compared([restored, NEW], [unnoted, undefined]).differences, []);
    deepEqual(compared([restored, undefined], [restored, undefined]).differences, []);
  });

  it('ignore a revoked grant that the other version does not have built in', () => {
    const revoked = (objectId: number): Revocation => ({
      grantee: 2,
      objectType: 'space',
      objectId,
    });
    const lines = (left: Revocation[], right: Revocation[]): string[] =>
      compared([{}, OLD], [{}, NEW], [left, right]).differences.map(showDefinition);
    deepEqual(lines([revoked(276), revoked(305)], [revoked(305)]), []);
    deepEqual(lines([revoked(305)], []), [
      "- revoked: built-in grant to role 'public' on space 305",
    ]);
    deepEqual(lines([], [revoked(341)]), [
      "+ revoked: built-in grant to role 'public' on space 341",
    ]);
  });

  it('report additions on the newer side, although a restore into the older one would leave them out', () => {
    const index = (options: Plain): Plain[] => indexRow(512, 0, 'pk', { options });
    const old = { 280: [TABLE], 288: [index({ unique: true })] };
    const hinted = { 280: [TABLE], 288: [index({ unique: true, hint: false })] };
    deepEqual(shown(old, hinted, [OLD, NEW]), ["~ index 'pk' of space 'T': hint none -> false"]);
    const { differences, converted } = compared([hinted, NEW], [old, OLD]);
    deepEqual(differences, []);
    deepEqual(converted?.notes, [
      "index 'pk' of space 'T': 'hint' is left out, because it needs 2.6.1",
    ]);
  });

  it('list grants on objects that the other version does not have built in', () => {
    const grants: Plain[][] = [
      [1, 32, 'function', 2, 4],
      [1, 32, 'function', 65, 4],
      [1, 32, 'function', 70, 4],
      [1, 32, 'space', 341, 1],
    ];
    const made: Plain[] = [70, 1, 'made', 0, 'LUA', ''];
    const left = { 296: [made], 304: [ANN], 312: grants };
    const notesOf = (from: string, to: string, kept: readonly number[]): string[] => {
      const right = { ...left, 312: kept.map((i) => grants[i]!) };
      const { differences, converted } = compared([left, from], [right, to]);
      deepEqual(differences, []);
      return converted?.notes ?? [];
    };
    deepEqual(notesOf('2.8.4', '2.11.5', [1, 2, 3]), [
      "grant of execute on function 2 to user 'ann' is left out, because 2.11.5 has no object with this id",
    ]);
    deepEqual(notesOf('2.11.5', '2.6.0', [0, 1, 2]), [
      "grant of read on space 341 to user 'ann' is left out, because 2.6.0 has no object with this id",
    ]);
  });
});
