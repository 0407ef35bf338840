import { deepEqual } from 'node:assert/strict';
import type { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { withoutUnmakable } from '../../../../lib/schema/convert/expressions.js';
import { planRestore } from '../../../../lib/schema/plan/plan.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import type { Plain } from '../../../support/msgpack.js';
import {
  BUILTIN_USERS,
  catalogOf,
  EMPTY,
  indexRow,
  type SystemRows,
  spaceRow,
} from '../catalogs.js';

/** Returns a row of `_func` of a function in SQL; without a body, in Lua. */
function func(id: number, name: string, sql?: string, exports: string[] = ['LUA']): Plain[] {
  const rest = ['any', 'none', 'none', true, true, true, exports, {}, '', '', '', []];
  const [language, body] = sql === undefined ? ['LUA', 'function() end'] : ['SQL_EXPR', sql];
  return [id, 1, name, 1, language, body, 'function', [], ...rest];
}

/** Returns a table with a default, a constraint of a field and one of the space, and with other options. */
function table(id: number, name: string, defaultFunc: number, constraint: number): Plain[] {
  const format = [
    { name: 'id', type: 'unsigned' },
    { name: 'v', type: 'any', default_func: defaultFunc, constraint: { own: constraint } },
  ];
  return spaceRow(id, name, { flags: { constraint: { all: constraint, lua: 70 } }, format });
}

const GOOD = func(71, 'good', `("UPPER"('a'))`);
const BAD = func(72, 'bad', '("NOSUCH"())');
const BACKUP: SystemRows = {
  280: [table(512, 'a', 72, 71), table(513, 'b', 71, 72)],
  288: [indexRow(512, 0, 'pk'), indexRow(513, 0, 'pk')],
  296: [func(70, 'lua'), GOOD, BAD],
};

const makable = (backup: SystemRows, refused?: ReadonlyMap<string, string>) =>
  withoutUnmakable(catalogOf(backup), catalogOf(EMPTY), [3, 2], refused);
const names = (catalog: Catalog): unknown[] => catalog.rows(296).map(({ fields }) => fields[2]);

describe('functions in SQL that the target cannot create', () => {
  it('are left out, and every default and constraint that uses them is listed', () => {
    const { backup, left } = makable(BACKUP);
    deepEqual(left, [
      {
        spaceId: 512,
        line: "default of field 'v' of space 'a': function 'NOSUCH' does not exist",
      },
      {
        spaceId: 513,
        line: "constraint 'all' of space 'b': function 'NOSUCH' does not exist",
      },
      {
        spaceId: 513,
        line: "constraint 'own' of field 'v' of space 'b': function 'NOSUCH' does not exist",
      },
    ]);
    deepEqual(names(backup), ['lua', 'good']);
    const [a, b] = backup.rows(280).map(({ fields }) => [fields[5], (fields[6] as Plain[])[1]]);
    deepEqual(a, [
      { constraint: { all: 71, lua: 70 } },
      { name: 'v', type: 'any', constraint: { own: 71 } },
    ]);
    deepEqual(b, [{ constraint: { lua: 70 } }, { name: 'v', type: 'any', default_func: 71 }]);
  });

  it('are listed if no space uses them, with the functions that call them', () => {
    const caller = func(73, 'caller', '("bad_sql"() + 1)');
    const called = func(74, 'bad_sql', '("NOSUCH"())', ['SQL']);
    deepEqual(makable({ 296: [caller, called] }).left, [
      { line: "function 'caller': function 'bad_sql' cannot be created" },
      { line: "function 'bad_sql': function 'NOSUCH' does not exist" },
    ]);
  });

  it('include those that the target refuses to prepare', () => {
    const { questions } = makable(BACKUP);
    deepEqual([...questions], [[`("UPPER"('a'))`, `SELECT (("UPPER"('a')))`]]);
    const { left } = makable(BACKUP, new Map([[`("UPPER"('a'))`, 'wrong arguments']]));
    deepEqual(
      left.map(({ line }) => line),
      [
        "constraint 'all' of space 'a': wrong arguments",
        "default of field 'v' of space 'a': function 'NOSUCH' does not exist",
        "constraint 'own' of field 'v' of space 'a': wrong arguments",
        "constraint 'all' of space 'b': function 'NOSUCH' does not exist",
        "default of field 'v' of space 'b': wrong arguments",
        "constraint 'own' of field 'v' of space 'b': function 'NOSUCH' does not exist",
      ],
    );
  });

  it('are not tested on the target if they call functions that only the backup has', () => {
    const rows = [func(70, 'OURS', undefined, ['SQL']), func(71, 'a', '("OURS"())')];
    deepEqual([...makable({ 296: rows }).questions], []);
  });

  it('are not searched in a backup without functions in SQL', () => {
    const backup = catalogOf({ ...BACKUP, 296: [func(70, 'lua'), GOOD] });
    deepEqual(withoutUnmakable(backup, catalogOf(EMPTY), [3, 2]).backup, backup);
  });

  it('are found in linear time', () => {
    const count = 20_000;
    const chain = Array.from({ length: count }, (_, i) =>
      func(100 + i, `f${i}`, i === 0 ? '("NOSUCH"())' : `("f${i - 1}"())`, ['SQL']),
    );
    const started = performance.now();
    deepEqual(makable({ 296: chain.reverse() }).left.length, count);
    deepEqual(performance.now() - started < 20_000, true);
  });
});

describe('a plan for functions in SQL', () => {
  const plan = (rows: SystemRows, existing?: 'skip') =>
    planRestore(catalogOf(rows), catalogOf({ ...EMPTY, 280: [spaceRow(900, 'b')] }), { existing });

  it('creates the functions that they call first, whatever the ids are', () => {
    const rows = [
      func(70, 'outer', '(inner() + "lua"())'),
      func(71, 'INNER', '("lua"())', ['SQL']),
      func(72, 'lua', undefined, ['SQL']),
    ];
    const { before, omissions } = planRestore(
      catalogOf({ 296: rows }),
      catalogOf({ 304: BUILTIN_USERS }),
    );
    deepEqual(omissions, []);
    deepEqual(
      before.map(({ what }) => what.replace(/ \(.*/, '')),
      ["function 'lua'", "function 'INNER'", "function 'outer'"],
    );
  });

  it('says nothing about kept spaces', () => {
    const lines = (existing?: 'skip'): string[] =>
      plan(BACKUP, existing).omissions.filter((line) => line.includes('NOSUCH'));
    deepEqual(lines().length, 3);
    deepEqual(lines('skip'), [
      "default of field 'v' of space 'a': function 'NOSUCH' does not exist",
    ]);
  });

  it('ignores them with --data-only and --no-functions', () => {
    const options = { releases: { source: versionsOf('3.2.0'), target: versionsOf('3.2.0') } };
    for (const choice of [{ only: 'data' }, { without: { functions: true } }] as const) {
      const found = planRestore(catalogOf(BACKUP), catalogOf(EMPTY), { ...options, ...choice });
      deepEqual([...found.questions], []);
      deepEqual(
        found.omissions.filter((line) => line.includes('NOSUCH')),
        [],
      );
    }
  });
});
