import { deepEqual, equal } from 'node:assert/strict';
import { type Release, releaseOf } from '../../../../lib/schema/server/release.js';
import { Dialect, namesOf, sortViews } from '../../../../lib/schema/sql/dialect.js';
import { catalogOf, indexRow, spaceRow } from '../catalogs.js';

function translate(sql: string, source: string, target: string, ...names: string[]): string {
  const [from, to] = [source, target].map(releaseOf) as [Release, Release];
  const functions = names.filter((name) => /_sum$/i.test(name));
  return new Dialect(from, to, new Set(names), new Set(functions)).translate(sql);
}

describe('SQL of 2.x for 3.x', () => {
  const cases: [sql: string, translated: string][] = [
    ['SELECT name FROM parent', 'SELECT "NAME" FROM SEQSCAN "PARENT"'],
    ['select "name" from "t"', 'select "name" from SEQSCAN "t"'],
    ["x = 'it''s name' -- name", `"X" = 'it''s name' -- name`],
    ['a.b > 1e5 AND c IS NOT NULL', '"A"."B" > 1e5 AND "C" IS NOT NULL'],
    ['/* name */ count(*)', '/* name */ "COUNT"(*)'],
    ["x'ff' || :name", "x'ff' || :name"],
    ['имя > 0', '"ИМЯ" > 0'],
    ['SELECT key, action FROM plan', 'SELECT "KEY", "ACTION" FROM SEQSCAN "PLAN"'],
    ['SELECT 1 FROM seqscan', 'SELECT 1 FROM SEQSCAN "SEQSCAN"'],
    ['new.id > old.id', '"NEW"."ID" > "OLD"."ID"'],
    ["trim(a) || replace(b, 'x', 'y')", `trim("A") || replace("B", 'x', 'y')`],
  ];
  for (const [sql, translated] of cases) {
    it(sql, () => equal(translate(sql, '2.6', '3.0'), translated));
  }

  it('is quoted and allowed to scan only once', () => {
    for (const [, translated] of cases) equal(translate(translated, '2.11', '3.0'), translated);
  });

  for (const word of ['uuid', 'array', 'map', 'interval', 'dec', 'wildcard', 'seqscan', 'show']) {
    it(`quotes ${word}, which was not a keyword in 2.6`, () => {
      equal(translate(`SELECT ${word}`, '2.6', '3.0'), `SELECT "${word.toUpperCase()}"`);
    });
  }

  it('keeps keywords of 2.11', () => {
    const sql = 'SELECT CAST("a" AS UUID) FROM SEQSCAN "t"';
    equal(translate(sql, '2.11', '3.0'), sql);
  });

  it('adds SEQSCAN only if it was not required before', () => {
    const sql = 'SELECT 1 FROM "t"';
    equal(translate(sql, '2.11', '3.0'), 'SELECT 1 FROM SEQSCAN "t"');
    for (const [source, target] of [
      ['2.6', '2.11'],
      ['3.0', '3.9'],
      ['3.0', '2.11'],
    ] as const) {
      equal(translate(sql, source, target), sql);
    }
  });
});

describe('SQL for a newer server of the same case', () => {
  it('quotes words that became keywords, and no others', () => {
    equal(
      translate('SELECT uuid AS seqscan, id FROM t', '2.6', '2.11'),
      'SELECT "UUID" AS "SEQSCAN", id FROM t',
    );
    equal(
      translate('SELECT uuid AS seqscan FROM t', '2.10', '2.11'),
      'SELECT uuid AS "SEQSCAN" FROM t',
    );
    equal(translate('SELECT seqscan FROM t', '2.6', '2.8'), 'SELECT seqscan FROM t');
  });
});

describe('SQL of 3.x for 2.x', () => {
  const NAMES = ['parent', 'name', 'KEY', 'own_sum', 'length', 'total_sum', 'TOTAL_SUM'];
  const cases: [sql: string, translated: string][] = [
    ['SELECT name FROM parent', 'SELECT "name" FROM "parent"'],
    ['SELECT key FROM parent', 'SELECT "KEY" FROM "parent"'],
    ['SELECT length(name) AS size', 'SELECT "LENGTH"("name") AS "size"'],
    ['SELECT own_sum(name)', 'SELECT "own_sum"("name")'],
    ['new.name <> Old.name', '"NEW"."name" <> "OLD"."name"'],
    ['name COLLATE unicode_ci', '"name" COLLATE "unicode_ci"'],
    ['SELECT "Name" FROM "parent"', 'SELECT "Name" FROM "parent"'],
    // A common table expression with columns is not a function, and neither is a table that gets rows.
    [
      'WITH w (a) AS (SELECT 1) SELECT a FROM w',
      'WITH "w" ("a") AS (SELECT 1) SELECT "a" FROM "w"',
    ],
    [
      'WITH RECURSIVE max (a) AS (VALUES (1)), x(b) AS (SELECT max(a) FROM max) SELECT b FROM x',
      'WITH RECURSIVE "max" ("a") AS (VALUES (1)), "x"("b") AS (SELECT "MAX"("a") FROM "max") SELECT "b" FROM "x"',
    ],
    ['CREATE VIEW min (a) AS SELECT 1', 'CREATE VIEW "min" ("a") AS SELECT 1'],
    [
      'CREATE VIEW min (a) AS WITH w AS (SELECT 1)',
      'CREATE VIEW "min" ("a") AS WITH "w" AS (SELECT 1)',
    ],
    ['INSERT INTO max (a) VALUES (max(1))', 'INSERT INTO "max" ("a") VALUES ("MAX"(1))'],
    // The server's own functions come first, and a column is not a function.
    ['SELECT length(length), count(key) AS n', 'SELECT "LENGTH"("length"), "COUNT"("KEY") AS "n"'],
    ['SELECT total(name), total_sum(key)', 'SELECT "TOTAL"("name"), "total_sum"("KEY")'],
    // The text defines names itself.
    [
      'WITH w ("Q") AS (SELECT 1) SELECT q FROM w',
      'WITH "w" ("Q") AS (SELECT 1) SELECT "Q" FROM "w"',
    ],
  ];
  for (const [sql, translated] of cases) {
    it(sql, () => equal(translate(sql, '3.0', '2.11', ...NAMES), translated));
  }

  it('removes SEQSCAN if the server does not require it', () => {
    equal(translate('SELECT 1 FROM SEQSCAN "t"', '3.0', '2.6'), 'SELECT 1 FROM  "t"');
    equal(translate('SELECT 1 FROM SEQSCAN "t"', '2.11', '2.10'), 'SELECT 1 FROM  "t"');
    equal(translate('SELECT 1 FROM SEQSCAN "t"', '3.0', '2.11'), 'SELECT 1 FROM SEQSCAN "t"');
  });
});

describe('the names that SQL can use', () => {
  it('are those of spaces, fields, indexes, functions, collations and triggers', () => {
    const catalog = catalogOf({
      276: [[300, 'loud', 1, 'ICU', 'de', {}]],
      280: [spaceRow(512, 's', { format: [{ name: 'f1' }, { name: 'f2' }] })],
      288: [indexRow(512, 0, 'pk')],
      296: [[70, 1, 'f', 0, 'LUA']],
      328: [['tr', 512, { sql: '' }]],
    });
    deepEqual([...namesOf(catalog)].sort(), ['f', 'f1', 'f2', 'loud', 'pk', 's', 'tr']);
  });
});

describe('views', () => {
  const sorted = (...views: [name: string, sql: string][]): unknown[] => {
    const rows = views.map(([name, sql], i) =>
      spaceRow(512 + i, name, { flags: { view: true, sql } }),
    );
    return sortViews(catalogOf({ 280: rows }).rows(280)).map(({ fields }) => fields[2]);
  };

  it('come after those that they read', () => {
    deepEqual(
      sorted(['a', 'SELECT * FROM "b", "c"'], ['b', 'SELECT * FROM "c"'], ['c', 'SELECT 1']),
      ['c', 'b', 'a'],
    );
  });

  it('are also found in upper case', () => {
    deepEqual(sorted(['A', 'SELECT * FROM b'], ['B', 'SELECT 1']), ['B', 'A']);
  });

  it('are all kept if they name each other by chance', () => {
    deepEqual(sorted(['a', 'SELECT "b" FROM t'], ['b', 'SELECT "a" FROM t']), ['b', 'a']);
  });

  it('in a chain longer than the stack are sorted at once', () => {
    const count = 20_000;
    const chain = Array.from({ length: count }, (_, i): [string, string] => [
      `v${i}`,
      i + 1 < count ? `SELECT * FROM "v${i + 1}"` : 'SELECT 1',
    ]);
    deepEqual(sorted(...chain), chain.map(([name]) => name).reverse());
  });
});
