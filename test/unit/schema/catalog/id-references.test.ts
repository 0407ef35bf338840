import { deepEqual, equal } from 'node:assert/strict';
import { IdMap, type Kind } from '../../../../lib/schema/catalog/id-map.js';
import { withTargetIds } from '../../../../lib/schema/catalog/id-references.js';
import { decode, type Value } from '../../../../lib/tuple/codec.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, EMPTY, spaceRow } from '../catalogs.js';

const RESTORER = 7;
/** Ids by kind, all different, so that a wrong kind leads to a wrong id. */
const MOVED: [Kind, number, number][] = [
  ['space', 512, 5120],
  ['space', 513, 5130],
  ['user', 32, 320],
  ['user', 33, 330],
  ['function', 66, 660],
  ['sequence', 1, 100],
  ['collation', 300, 3000],
];

const ids = new IdMap(catalogOf({ ...EMPTY, 280: [spaceRow(280, '_space')] }), RESTORER);
for (const [kind, from, to] of MOVED) ids.set(kind, from, to);

function moved(
  spaceId: number,
  row: readonly Plain[],
): { row: Value[] | undefined; lost: string[] } {
  const lost: string[] = [];
  const raw = pack(row);
  const mapped = withTargetIds(spaceId, { raw, fields: decode(raw) as Value[] }, ids, (what) =>
    lost.push(what),
  );
  if (mapped !== undefined) deepEqual(mapped.fields, decode(mapped.raw));
  return { row: mapped?.fields, lost };
}

describe('withTargetIds', () => {
  for (const [title, spaceId, row, expected] of [
    ['a collation', 276, [300, 'german', 32], [3000, 'german', 320]],
    [
      'a space',
      280,
      [
        512,
        32,
        's',
        'memtx',
        0,
        {
          constraint: { positive: 66 },
          foreign_key: { other: { space: 513, field: { a: 512 } }, self: { field: { a: 66 } } },
          group_id: 1,
        },
        [
          { name: 'id', type: 'unsigned', collation: 300 },
          { name: 'a', constraint: { c: 66 }, foreign_key: { f: { space: 513, field: 1 } } },
          { name: 'b', default_func: 66, default: 66 },
        ],
      ],
      [
        5120,
        320,
        's',
        'memtx',
        0,
        {
          constraint: { positive: 660 },
          foreign_key: { other: { space: 5130, field: { a: 512 } }, self: { field: { a: 66 } } },
          group_id: 1,
        },
        [
          { name: 'id', type: 'unsigned', collation: 3000 },
          { name: 'a', constraint: { c: 660 }, foreign_key: { f: { space: 5130, field: 1 } } },
          { name: 'b', default_func: 660, default: 66 },
        ],
      ],
    ],
    ['a sequence', 284, [1, 32, 'ids', 1, 512], [100, 320, 'ids', 1, 512]],
    ['the value of a sequence', 285, [1, 512], [100, 512]],
    [
      'an index',
      288,
      [512, 1, 'i', 'tree', { unique: true, func: 66 }, [{ field: 1, collation: 300 }]],
      [5120, 1, 'i', 'tree', { unique: true, func: 660 }, [{ field: 1, collation: 3000 }]],
    ],
    [
      'an index of 1.x',
      288,
      [512, 0, 'i', 'tree', { unique: true }, [[0, 'unsigned']]],
      [5120, 0, 'i', 'tree', { unique: true }, [[0, 'unsigned']]],
    ],
    ['a function', 296, [66, 33, 'f', 1, 'LUA', ''], [660, 330, 'f', 1, 'LUA', '']],
    ['a user', 304, [32, 33, 'u', 'user', {}], [320, 330, 'u', 'user', {}]],
    ['a grant on a space', 312, [32, 33, 'space', 512, 1], [320, 330, 'space', 5120, 1]],
    ['a grant on a function', 312, [1, 33, 'function', 66, 4], [1, 330, 'function', 660, 4]],
    ['a grant on a sequence', 312, [1, 33, 'sequence', 1, 1], [1, 330, 'sequence', 100, 1]],
    ['a grant of a role', 312, [1, 32, 'role', 33, 4], [1, 320, 'role', 330, 4]],
    ['a grant on a user', 312, [1, 32, 'user', 33, 128], [1, 320, 'user', 330, 128]],
    ['a grant on all spaces', 312, [1, 32, 'space', '', 1], [1, 320, 'space', '', 1]],
    ['a grant on the universe', 312, [1, 32, 'universe', 0, 1], [1, 320, 'universe', 0, 1]],
    ['a grant on a system space', 312, [1, 32, 'space', 280, 1], [1, 320, 'space', 280, 1]],
    [
      'a grant on Lua',
      312,
      [1, 32, 'lua_call', 'box.info', 4],
      [1, 320, 'lua_call', 'box.info', 4],
    ],
    ['a trigger', 328, ['t', 512, { sql: '…' }], ['t', 5120, { sql: '…' }]],
    ['the sequence of a space', 340, [512, 1, true, 0, ''], [5120, 100, true, 0, '']],
    ['a foreign key', 356, ['fk', 512, 513, false], ['fk', 5120, 5130, false]],
    ['a check', 364, [512, 'ck', false, 'SQL', 'a > 66'], [5120, 'ck', false, 'SQL', 'a > 66']],
    ['a functional index', 372, [512, 66, 66], [5120, 66, 660]],
    ['a mark', 272, ['once', 512], ['once', 512]],
  ] as [string, number, Plain[], Plain[]][]) {
    it(`replaces ids in ${title}`, () => {
      deepEqual(moved(spaceId, row), { row: expected, lost: [] });
    });
  }

  /** Returns a function in the form of 3.x. */
  const onEvents = (id: number, events: string[]): Plain[] => {
    const rest = [
      'function',
      [],
      'any',
      'none',
      'none',
      false,
      false,
      true,
      ['LUA'],
      {},
      '',
      '',
      '',
    ];
    return [id, 1, 'f', 0, 'LUA', '', ...rest, events];
  };

  it('replaces ids in the events that call a function', () => {
    const events = [
      'box.space[512].on_replace',
      'box.on_commit.space[512]',
      'box.space.s.on_replace',
      'box.before_commit.space.s',
      'box.space[280].on_commit',
    ];
    deepEqual(moved(296, onEvents(66, events)), {
      row: onEvents(660, [
        'box.space[5120].on_replace',
        'box.on_commit.space[5120]',
        ...events.slice(2),
      ]),
      lost: [],
    });
  });

  it('removes the events of a missing space, because another space may get its id', () => {
    const { row, lost } = moved(296, onEvents(66, ['box.space[999].on_replace', 'app.event']));
    deepEqual(row, onEvents(660, ['app.event']));
    deepEqual(lost, [
      'event box.space[999].on_replace, because its space does not exist on the target',
    ]);
  });

  it('returns the same row if no id differs', () => {
    const raw = pack([1, 0, 'universe', 0, 24]);
    const row = { raw, fields: decode(raw) as Value[] };
    equal(
      withTargetIds(312, row, ids, () => {}),
      row,
    );
  });

  it('makes the restoring user the owner if the owner does not exist', () => {
    for (const [spaceId, row] of [
      [280, spaceRow(512, 's')],
      [284, [1, 1, 'ids']],
      [296, [66, 1, 'f']],
      [304, [32, 1, 'u']],
    ] as [number, Plain[]][]) {
      const ownedBy99 = [row[0]!, 99, ...row.slice(2)];
      const { row: got, lost } = moved(spaceId, ownedBy99);
      equal(got?.[1], RESTORER);
      deepEqual(lost, [
        'its owner does not exist on the target, so the restoring user will own it',
      ]);
    }
  });

  it('makes admin the grantor if the grantor does not exist', () => {
    deepEqual(moved(312, [99, 32, 'space', 512, 1]).row, [1, 320, 'space', 5120, 1]);
  });

  it('keeps custom keys that newer servers use for constraints and defaults', () => {
    const format = [{ name: 'x', constraint: 'ours', default_func: 'ours', foreign_key: 'ours' }];
    const { row, lost } = moved(280, [512, 32, 's', 'memtx', 0, {}, format]);
    deepEqual(row?.at(-1), format);
    deepEqual(lost, []);
  });

  it('removes a constraint and a default whose function is missing', () => {
    const { row, lost } = moved(280, [
      ...[512, 1, 's', 'memtx', 0],
      { constraint: { a: 66, b: 67 } },
      [{ name: 'x', constraint: { c: 67 }, default_func: 67 }],
    ]);
    deepEqual(row?.slice(5), [{ constraint: { a: 660 } }, [{ name: 'x', constraint: {} }]]);
    deepEqual(lost, [
      "constraint 'b', because its function does not exist on the target",
      "constraint 'c', because its function does not exist on the target",
      'a default, because its function does not exist on the target',
    ]);
  });

  for (const [title, spaceId, row] of [
    ['a functional index without its function', 288, [512, 1, 'i', 'tree', { func: 67 }, []]],
    ['a link to it', 372, [512, 1, 67]],
    ['a grant to nobody', 312, [1, 99, 'space', 512, 1]],
    ['a grant of a missing role', 312, [1, 32, 'role', 99, 4]],
    ['a grant on a missing space', 312, [1, 32, 'space', 999, 1]],
    ['a grant on a missing system space', 312, [1, 32, 'space', 388, 2]],
    ['the value of a missing sequence', 285, [9, 5]],
  ] as [string, number, Plain[]][]) {
    it(`returns nothing for ${title}`, () => {
      const { row: got, lost } = moved(spaceId, row);
      equal(got, undefined);
      equal(lost.length, 1);
    });
  }
});
