import { deepEqual, equal, throws } from 'node:assert/strict';
import type { FilterOutcome } from '../../../lib/filters/filter.js';
import { renameSpaces } from '../../../lib/filters/rename.js';
import type { Catalog } from '../../../lib/schema/catalog/catalog.js';
import { isTable } from '../../../lib/schema/catalog/rows.js';
import { Field } from '../../../lib/schema/server/system-spaces.js';
import { type SystemRows, spaceRow } from '../schema/catalogs.js';
import { headOf } from './heads.js';

const view = (sql: string, ...columns: string[]) =>
  spaceRow(520, 'V', {
    flags: { sql, view: true },
    format: columns.map((name) => ({ name, type: 'any' })),
  });
const SPACES = [spaceRow(512, 'T'), spaceRow(513, 'u')];

function rename(names: Record<string, string>, rows: SystemRows, version?: string): Catalog {
  const rewritten = renameSpaces(new Map(Object.entries(names))).head(headOf(rows, version));
  return (rewritten as FilterOutcome).head.catalog;
}
const namesOf = ({ spaces }: Catalog): string[] => spaces.map(({ name }) => name);

function sqlAfter(sql: string, version?: string): unknown {
  const catalog = rename({ T: 'new' }, { 280: [...SPACES, view(sql)] }, version);
  const flags = catalog.rows(280)[2]?.fields[Field.space.flags];
  return isTable(flags) ? flags['sql'] : undefined;
}

describe('renameSpaces', () => {
  it('changes names, and swaps two', () => {
    deepEqual(namesOf(rename({ T: 'u', u: 'T' }, { 280: SPACES })), ['u', 'T']);
  });

  it('describes the change', () => {
    equal(renameSpaces(new Map([['a', 'b']])).changed, "space 'a' is renamed to 'b'");
  });

  it('refuses a name that does not exist, and lists those that do', () => {
    throws(() => rename({ x: 'y' }, { 280: SPACES }), {
      kind: 'usage',
      message: "no space is named 'x'",
      hint: 'there are T; u',
    });
  });

  it('refuses one name for two spaces, and an empty name', () => {
    throws(() => rename({ T: 'u' }, { 280: SPACES }), { kind: 'usage', message: /two spaces/ });
    throws(() => rename({ T: '' }, { 280: SPACES }), { kind: 'usage', message: /empty/ });
  });

  for (const [sql, expected] of [
    ['SELECT t.a FROM t', 'SELECT "new".a FROM "new"'],
    ['SELECT "T"."a" /* T */ FROM "T"', 'SELECT "new"."a" /* T */ FROM "new"'],
    [`SELECT 'T', x.t FROM "t" AS x`, `SELECT 'T', x.t FROM "t" AS x`],
    ['SELECT t(1) FROM u, t', 'SELECT t(1) FROM u, "new"'],
  ] as const) {
    it(`turns ${sql} into ${expected}`, () => equal(sqlAfter(sql), expected));
  }

  it('reads words as a server of 3.x does', () => {
    equal(sqlAfter('SELECT 1 FROM t', '3.2.0'), 'SELECT 1 FROM "new"');
    const rows = { 280: [spaceRow(512, 't'), spaceRow(513, 'T'), view('SELECT 1 FROM t, T')] };
    const catalog = rename({ t: 'new' }, rows, '3.2.0');
    deepEqual(catalog.rows(280)[2]?.fields[5], { sql: 'SELECT 1 FROM "new", T', view: true });
  });

  it('refuses SQL in which the name may be a column, or the new name has another meaning', () => {
    const refused = {
      kind: 'usage',
      message: /space 'T' cannot be renamed to 'new': view 'V' uses/,
    };
    const column = { 280: [...SPACES, view('SELECT T FROM u, T', 'T')] };
    throws(() => rename({ T: 'new' }, column), refused);
    const taken = { 280: [...SPACES, view('SELECT "new".a FROM T AS "new"')] };
    throws(() => rename({ T: 'new' }, taken), refused);
  });

  it('updates triggers and checks, where a bare name is a column', () => {
    const catalog = rename(
      { T: 'new' },
      {
        280: SPACES,
        328: [
          ['tr', 512, { sql: 'CREATE TRIGGER tr AFTER INSERT ON T BEGIN INSERT INTO t(a); END' }],
        ],
        364: [[512, 'positive', false, 'SQL', 'T.t > 0 AND t > 0', true]],
      },
    );
    deepEqual(catalog.rows(328)[0]?.fields[2], {
      sql: 'CREATE TRIGGER tr AFTER INSERT ON "new" BEGIN INSERT INTO "new"(a); END',
    });
    equal(catalog.rows(364)[0]?.fields[4], '"new".t > 0 AND t > 0');
  });

  it('does not change functions in SQL, which can only use columns', () => {
    const func = [66, 1, 'f', 0, 'SQL_EXPR', '"T" > 0 AND t > 0', 'function', []];
    const space = spaceRow(512, 'T', { format: [{ name: 'T' }], flags: { constraint: { c: 66 } } });
    const catalog = rename({ T: 'new' }, { 280: [space], 296: [func] }, '3.2.0');
    deepEqual(namesOf(catalog), ['new']);
    equal(catalog.rows(296)[0]?.fields[Field.func.body], '"T" > 0 AND t > 0');
  });

  for (const [what, name] of [
    ['an empty one', ''],
    ['one with a line break', 'a\nb'],
    ['one that is too long', 'x'.repeat(65_001)],
    ["the server's own", '_priv'],
  ] as const) {
    it(`refuses ${what} as a name`, () => {
      throws(() => rename({ T: name }, { 280: SPACES }), { kind: 'usage' });
    });
  }

  it('updates events on a space with this name', () => {
    const func = [66, 1, 'f', 0, 'LUA', '', 'function', [], 'any', 'none', 'none', false, false];
    const events = [
      'box.space.T.on_replace',
      'box.on_rollback.space.T',
      'box.space.u.on_replace',
      'box.space[512].on_replace',
    ];
    const rows = { 280: SPACES, 296: [[...func, false, [], {}, '', '', '', events]] };
    const catalog = rename({ T: 'new' }, rows, '3.2.0');
    deepEqual(catalog.rows(296)[0]?.fields[19], [
      'box.space.new.on_replace',
      'box.on_rollback.space.new',
      ...events.slice(2),
    ]);
  });
});
