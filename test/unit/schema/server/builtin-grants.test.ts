import { deepEqual, doesNotThrow, equal, throws } from 'node:assert/strict';
import type { Revocation } from '../../../../lib/backup/manifest.js';
import {
  checkRevoked,
  isShippedGrant,
  isTakenByUpgrade,
  ShippedGrants,
} from '../../../../lib/schema/server/builtin-grants.js';
import type { Value } from '../../../../lib/tuple/codec.js';

const ALL = 0xffffffff;

const named = (id: number, name: string): { fields: Value[] } => ({ fields: [id, 1, name] });
const FUNCTIONS = [
  ...[named(1, 'box.schema.user.info'), named(2, 'TRIM'), named(64, '_sql_stat_init')],
  ...[named(65, 'LUA'), named(66, 'GREATEST'), named(67, 'LEAST')],
];

type Version = [number, number, number];
const of = (version: Version, functions = FUNCTIONS): ShippedGrants =>
  new ShippedGrants(version, functions);
const asRows = (rows: Value[][]) => rows.map((fields) => ({ fields }));
const keyOf = ([, grantee, objectType, objectId]: Value[]): Revocation =>
  ({ grantee, objectType, objectId }) as Revocation;

/** Built-in grants of every server. */
const COMMON: Value[][] = [
  [1, 0, 'role', 2, 4],
  [1, 0, 'universe', 0, 24],
  [1, 2, 'function', 1, 4],
  ...[277, 281, 286, 289, 297, 305, 313].map((id) => [1, 2, 'space', id, 1]),
  [1, 2, 'space', 330, 2],
  [1, 3, 'space', 320, 2],
  [1, 3, 'universe', 0, 1],
  [1, 31, 'universe', 0, ALL],
];
const SQL: Value[][] = [2, 64, 66, 67].map((id) => [1, 2, 'function', id, 4]);
const EXECUTE_LUA: Value[] = [1, 2, 'function', 65, 4];
const SEE_LUA: Value[] = [1, 2, 'function', 65, 1];
const COLLATIONS: Value[] = [1, 2, 'space', 276, 2];
const SETTINGS: Value[] = [1, 2, 'space', 380, 3];
const SPACE_SEQUENCES: Value[] = [1, 2, 'space', 341, 1];
const CONSUMERS: Value[] = [1, 3, 'space', 388, 2];

/** Versions of the schema, each with its built-in grants, and the last versions before the next one differs. */
const SHIPPED: [Version, Value[][]][] = [
  [
    [2, 3, 1],
    [...SQL, EXECUTE_LUA, COLLATIONS],
  ],
  [
    [2, 7, 1],
    [...SQL, EXECUTE_LUA, COLLATIONS],
  ],
  [
    [2, 9, 1],
    [EXECUTE_LUA, COLLATIONS],
  ],
  [
    [2, 10, 1],
    [EXECUTE_LUA, COLLATIONS, SETTINGS],
  ],
  [
    [2, 10, 4],
    [SEE_LUA, COLLATIONS, SETTINGS],
  ],
  [
    [2, 10, 5],
    [SEE_LUA, COLLATIONS, SETTINGS, SPACE_SEQUENCES],
  ],
  [
    [2, 11, 0],
    [SEE_LUA, SETTINGS, SPACE_SEQUENCES],
  ],
  [
    [3, 1, 0],
    [SEE_LUA, SETTINGS, SPACE_SEQUENCES],
  ],
  [
    [3, 3, 0],
    [SEE_LUA, SETTINGS, SPACE_SEQUENCES, CONSUMERS],
  ],
  [
    [3, 8, 0],
    [SEE_LUA, SETTINGS, SPACE_SEQUENCES, CONSUMERS],
  ],
];
const SOME: Value[][] = [
  ...SQL,
  ...[EXECUTE_LUA, SEE_LUA, COLLATIONS, SETTINGS, SPACE_SEQUENCES, CONSUMERS],
];

for (const [version, own] of SHIPPED) {
  describe(`a schema of ${version.join('.')}`, () => {
    const shipped = of(version);
    const rows = [...COMMON, ...own];
    // The tests use four functions of SQL.
    const isTried = ({ objectType, objectId }: Revocation): boolean =>
      objectType !== 'function' || FUNCTIONS.some(({ fields }) => fields[0] === objectId);
    const revoked = (present: Value[][]): Revocation[] =>
      shipped.revoked(asRows(present)).filter(isTried);

    it('has its grants, and no others', () => {
      for (const row of rows) equal(shipped.has(row), true, JSON.stringify(row));
      for (const row of SOME) equal(shipped.has(row), own.includes(row), JSON.stringify(row));
    });

    it("treats a grant with more or fewer privileges, or by another grantor, as a user's", () => {
      for (const row of rows) {
        const bits = Number(row[4]);
        for (const other of [row.with(4, bits - 1), row.with(4, bits + 1), row.with(0, 32)])
          equal(shipped.has(other), false, JSON.stringify(other));
      }
    });

    it('reports each grant that was revoked, and no other', () => {
      deepEqual(revoked(rows), []);
      for (const row of rows) {
        deepEqual(revoked(rows.filter((each) => each !== row)), [keyOf(row)]);
        deepEqual(revoked(rows.with(rows.indexOf(row), row.with(4, 0))), []);
      }
      equal(revoked([]).length, rows.length);
      doesNotThrow(() => checkRevoked(revoked([])));
    });

    it('loses the grants that another server has lost, as far as it has them', () => {
      const all = [...COMMON, ...SOME].map(keyOf);
      const lost = shipped.toRevoke(all, asRows([...rows, ...SOME, [1, 32, 'universe', 0, 24]]));
      deepEqual(
        new Set(lost.map((row) => JSON.stringify(keyOf(row)))),
        new Set(rows.map((row) => JSON.stringify(keyOf(row)))),
      );
      deepEqual(shipped.toRevoke(all, []), []);
    });
  });
}

describe('grants on built-in functions', () => {
  const moved = [named(2, 'box.schema.user.info'), named(70, 'LUA')];
  const rows = [...COMMON.filter((row) => row[2] !== 'function'), SETTINGS, SPACE_SEQUENCES];
  const own: Value[][] = [
    [1, 2, 'function', 2, 4],
    [1, 2, 'function', 70, 1],
  ];

  it('are found by the name of the function if the server has given it another id', () => {
    const shipped = of([2, 11, 5], moved);
    for (const row of own) equal(shipped.has(row), true);
    equal(shipped.has(SEE_LUA), false);
    deepEqual(shipped.revoked(asRows([...rows, ...own])), []);
    deepEqual(shipped.revoked(asRows([...rows, own[0]!])), [keyOf(SEE_LUA)]);
    deepEqual(shipped.toRevoke([keyOf(SEE_LUA)], asRows([SEE_LUA, ...own])), [own[1]]);
  });

  it('are revoked if the function was dropped, and another one has its id', () => {
    const shipped = of([2, 11, 5], [moved[0]!]);
    deepEqual(shipped.revoked(asRows([...rows, own[0]!, SEE_LUA])), [keyOf(SEE_LUA)]);
    deepEqual(shipped.toRevoke([keyOf(SEE_LUA)], asRows([SEE_LUA])), []);
  });
});

describe('grants of a schema that is older than 2.6', () => {
  const revokedOf = (version: Version): string[] =>
    of(version)
      .revoked([])
      .map(({ grantee, objectType, objectId }) => `${grantee} ${objectType} ${objectId}`);

  it('do not include those of a later schema, so that no restore revokes them', () => {
    const later: [string, Version, Version][] = [
      ['0 universe 0', [1, 7, 6], [1, 7, 7]],
      ['31 universe 0', [1, 7, 6], [1, 7, 7]],
      ['2 space 330', [1, 7, 2], [1, 7, 5]],
      ['2 space 276', [1, 7, 5], [1, 7, 6]],
      ['2 space 286', [1, 7, 7], [1, 10, 0]],
      ['2 space 277', [2, 1, 3], [2, 2, 1]],
      ['2 function 2', [2, 1, 3], [2, 2, 1]],
      ['2 function 65', [2, 1, 3], [2, 2, 1]],
      ['2 function 66', [2, 2, 1], [2, 3, 0]],
    ];
    for (const [grant, before, since] of later) {
      equal(revokedOf(before).includes(grant), false, `${grant} of ${before}`);
      equal(revokedOf(since).includes(grant), true, `${grant} of ${since}`);
    }
  });

  it("are not a user's if somebody granted what every target has by itself", () => {
    const shipped = of([1, 6, 8]);
    equal(shipped.has([1, 31, 'universe', 0, ALL]), true);
    equal(shipped.has([1, 31, 'universe', 0, 3]), false);
    equal(shipped.has([1, 2, 'space', 380, 3]), false);
  });
});

describe('a missing grant', () => {
  const COLLATION = keyOf([1, 2, 'space', 276, 2]);

  it('was removed by the upgrade if the server no longer has it built in', () => {
    equal(isTakenByUpgrade(COLLATION, [2, 9, 1], [2, 11, 5]), true);
    equal(isTakenByUpgrade(COLLATION, [2, 9, 1], [2, 10, 8]), false);
  });

  it('was revoked by a user if the schema has another one instead', () => {
    equal(isTakenByUpgrade(keyOf(SEE_LUA), [2, 11, 5], [2, 11, 5]), false);
  });
});

describe('a grant of a user that equals a built-in one', () => {
  it('is built into the schemas that have it, and into no others', () => {
    const row = [1, 2, 'space', 380, 3];
    deepEqual(
      [
        isShippedGrant(row, [2, 10, 1]),
        isShippedGrant(row, [2, 9, 1]),
        isShippedGrant([1, 2, 'space', 380, 1], [2, 11, 5]),
      ],
      [true, false, false],
    );
  });
});

describe('grants of an archive, which has no schema version', () => {
  const shipped = new ShippedGrants(undefined, FUNCTIONS);

  it('all belong to users', () => {
    for (const row of [...COMMON, ...SOME]) equal(shipped.has(row), false);
    deepEqual(shipped.revoked([]), []);
  });

  it('except for all privileges of admin, which no server lets anybody change', () => {
    for (const bits of [ALL, 1]) equal(shipped.has([1, 1, 'universe', 0, bits]), true);
  });
});

describe('a revocation of a grant that no server has built in', () => {
  for (const revocation of [
    { grantee: 32, objectType: 'universe', objectId: 0 },
    { grantee: 1, objectType: 'universe', objectId: 0 },
    { grantee: 1, objectType: 'space', objectId: 281 },
    { grantee: 2, objectType: 'space', objectId: 512 },
    { grantee: 2, objectType: 'space', objectId: 280 },
    { grantee: 2, objectType: 'function', objectId: 68 },
    { grantee: 0, objectType: 'role', objectId: 31 },
    { grantee: 2, objectType: '', objectId: 0 },
  ]) {
    it(`is damage: ${JSON.stringify(revocation)}`, () => {
      throws(() => checkRevoked([keyOf(EXECUTE_LUA), revocation]), {
        kind: 'archive',
        message: new RegExp(`user ${revocation.grantee}, but no server grants that by default`),
      });
    });
  }
});
