import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { startServer, type TestServer } from '../support/server.js';
import { dump, isAtLeast, needs, restore, startTarget } from './fidelity/roundtrip.js';

/** Views of all kinds that the grammar of SELECT has, each over these two tables. */
const TABLES = [
  `CREATE TABLE t (id INT PRIMARY KEY, a INT, b STRING, length INT)`,
  `CREATE TABLE u (id INT PRIMARY KEY, a INT, c STRING)`,
  `CREATE INDEX ti ON t (a)`,
  `INSERT INTO t VALUES (1, 10, 'x', 5), (2, 20, 'y', 6), (3, 30, 'z', 7)`,
  `INSERT INTO u VALUES (1, 10, 'p'), (2, 25, 'q'), (3, 30, 'r')`,
];
const VIEWS = [
  'SELECT t.* FROM t',
  'SELECT x.id, y.a AS other FROM t AS x, u y WHERE x.id = y.id',
  'WITH w AS (SELECT id FROM t) SELECT id FROM w',
  'WITH w (a) AS (SELECT id FROM t) SELECT a FROM w',
  'WITH w (x, y) AS (SELECT id, a FROM t), z (n) AS (SELECT x FROM w) SELECT n FROM z',
  'WITH w(a, b) AS (VALUES (1, 2), (3, 4)) SELECT a + b AS s FROM w',
  'WITH w (a) AS (SELECT id FROM t) SELECT w.a FROM w JOIN u ON w.a = u.id',
  'WITH RECURSIVE w (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM w WHERE n < 5) SELECT n FROM w',
  'WITH RECURSIVE w (n) AS (VALUES (1) UNION SELECT n + 1 FROM w, t WHERE w.n = t.id) SELECT n FROM w',
  'WITH w (a) AS (WITH x (b) AS (SELECT id FROM t) SELECT b FROM x) SELECT a FROM w',
  'SELECT * FROM (WITH w (a) AS (SELECT id FROM t) SELECT a FROM w) AS q',
  'WITH t (a) AS (SELECT id FROM u) SELECT a FROM t',
  'WITH max (a) AS (SELECT id FROM t) SELECT max(a) AS m FROM max',
  'WITH w (id) AS (SELECT id FROM t) SELECT id FROM w UNION ALL SELECT id FROM u ORDER BY 1 LIMIT 4',
  'SELECT id FROM t UNION SELECT id FROM u EXCEPT SELECT 1',
  'SELECT id, a FROM t UNION ALL VALUES (7, 8)',
  'SELECT * FROM (VALUES (1, 2), (3, 4))',
  'SELECT id FROM t LEFT JOIN u USING (id, a)',
  'SELECT id FROM t NATURAL JOIN u',
  'SELECT x.id FROM (t AS x JOIN (u AS y JOIN t AS z ON y.id = z.id) ON x.id = y.id)',
  'SELECT id FROM t INDEXED BY ti WHERE a > 1',
  'SELECT a, count(*) AS n FROM t GROUP BY a HAVING count(*) > 0 ORDER BY a',
  'SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)',
  'SELECT id FROM t WHERE (id, a) IN (SELECT id, a FROM u)',
  `SELECT CASE WHEN id > 1 THEN b ELSE 'no' END AS w FROM t`,
  `SELECT length(b) AS l, length FROM t`,
  `SELECT TRIM(BOTH 'x' FROM b) AS v, upper(b) AS up, replace(b, 'x', 'y') AS r FROM t`,
  'SELECT (SELECT count(*) FROM u) AS s FROM t',
  'SELECT sum(q.id) AS s FROM (SELECT id FROM (SELECT id FROM t) AS z) AS q',
  'SELECT id AS "Weird ""name" FROM t',
  'SELECT b COLLATE "unicode_ci" AS bb FROM t',
];

/** Runs statements, each of which has to go well. */
const sql = (statements: readonly string[]): string =>
  statements
    .map(
      (each) =>
        `do local _, problem = box.execute([==[${each}]==]) assert(problem == nil, tostring(problem)) end`,
    )
    .join('\n');

describe('expressions in SQL', () => {
  let source: TestServer;
  let target: TestServer;
  beforeEach(async () => {
    [source, target] = await Promise.all([startServer(), startTarget()]);
  });
  afterEach(() => Promise.all([source.stop(), target.stop()]));

  it('of views are accepted by the target, and the views show the same rows', async () => {
    const create = VIEWS.map((view, i) => `CREATE VIEW v${i} AS ${view}`);
    await source.eval(sql([...TABLES, ...create]));
    const { stderr } = await restore(target, await dump(source));
    doesNotMatch(stderr, /left out/);
    const rowsOf = (server: TestServer): Promise<unknown> =>
      server.eval(`
        pcall(box.execute, 'SET SESSION "sql_seq_scan" = true')
        local rows = {}
        for i = 0, ${VIEWS.length - 1} do
          local name = box.space['V' .. i] and 'V' .. i or 'v' .. i
          local found, problem = box.execute(('SELECT * FROM "%s"'):format(name))
          rows[i + 1] = found and found.rows or tostring(problem)
        end
        return rows`);
    deepEqual(await rowsOf(target), await rowsOf(source));
  });

  it('of defaults are left out and named if the target cannot make them', async function () {
    needs(this, source, 'defaults as texts', '2.0', '3.0');
    needs(this, target, 'defaults as functions', '3.0');
    const defaults: [string, why?: string][] = [
      ['nosuch()', "function 'NOSUCH' does not exist"],
      ['julianday(1)', "function 'JULIANDAY' does not exist"],
      ['hidden()', "function 'HIDDEN' is not exported to SQL"],
      ['next_no(1)', "function 'NEXT_NO' cannot be called with 1 argument"],
      [`hex('a')`, 'Failed to execute SQL statement: wrong arguments for function HEX()'],
      ['next_no() + 1'],
      [`upper('a') || "LOWER"('B')`],
      [`'a' COLLATE "unicode"`],
      ['abs(-5)'],
    ];
    await source.eval(`
      local function create(name, exports)
        box.schema.func.create(name, {language = 'LUA', body = 'function() return 7 end',
          returns = 'integer', exports = exports})
      end
      create('NEXT_NO', {'LUA', 'SQL'})
      create('HIDDEN', {'LUA'})
      ${sql(defaults.map(([text], i) => `CREATE TABLE d${i} (id INT PRIMARY KEY, v SCALAR DEFAULT (${text}))`))}`);
    const { stderr } = await restore(target, await dump(source));
    for (const [i, [, why]] of defaults.entries()) {
      const left = `left out: default of field 'V' of space 'D${i}': ${why}\n`;
      equal(stderr.includes(`of space 'D${i}': `), why !== undefined, stderr);
      if (why !== undefined) equal(stderr.includes(left), true, stderr);
    }
    const made = await target.eval(`
      local values = {}
      for i = 0, ${defaults.length - 1} do
        local value = box.space['D' .. i]:insert({1, box.NULL})[2]
        values[i + 1] = value == nil and 'none' or value
      end
      return values`);
    deepEqual(made, ['none', 'none', 'none', 'none', 'none', 8, 'Ab', 'a', 5]);
  });

  it('are created after the functions that they call, in any order of ids', async function () {
    needs(this, source, 'functions in SQL', '2.11');
    needs(this, target, 'functions in SQL', '2.11');
    await source.eval(`
      local function create(name, id)
        local f = {id, 1, name, 1, 'LUA', 'function(x) return x > 0 end', 'function', {'integer'},
          'boolean', 'none', 'none', true, true, true, {'LUA', 'SQL'},
          setmetatable({}, {__serialize = 'map'}), '', '', ''}
        if #box.space._func:format() > 19 then table.insert(f, setmetatable({}, {__serialize = 'seq'})) end
        box.space._func:insert(f)
      end
      create('POSITIVE', 900)
      ${sql([`CREATE TABLE "t" ("id" INT PRIMARY KEY, CONSTRAINT "c" CHECK ("POSITIVE"("id")))`])}`);
    const { stderr } = await restore(target, await dump(source));
    doesNotMatch(stderr, /left out/);
    match(
      String(await target.eval(`return select(2, pcall(box.space.t.insert, box.space.t, {-1}))`)),
      /./,
    );
    equal(await target.eval(`return box.space.t:len()`), 0);
  });
});

describe('options of an index without an effect', () => {
  let source: TestServer;
  let target: TestServer;
  beforeEach(async () => {
    [source, target] = await Promise.all([startServer(), startTarget()]);
  });
  afterEach(() => Promise.all([source.stop(), target.stop()]));

  it('do not stop a restore: the order of a hash', async () => {
    if (!isAtLeast(source, '3.0')) {
      await source.eval(`
        box.schema.space.create('h')
        box.space.h:create_index('pk', {type = 'hash', parts = {{1, 'unsigned', sort_order = 'desc'}}})
        box.space.h:insert({1})`);
    }
    const { stderr } = await restore(target, await dump(source));
    doesNotMatch(stderr, /ascending/);
  });

  it('are left out and named: a hint in vinyl', async function () {
    needs(this, source, 'hints that nobody checks', '2.7', '2.11');
    await source.eval(`
      for name, engine in pairs({h = 'memtx', v = 'vinyl'}) do
        box.schema.space.create(name, {engine = engine})
        box.space._index:insert({box.space[name].id, 0, 'pk', engine == 'vinyl' and 'tree' or 'hash',
          {unique = true, hint = true}, {{field = 0, type = 'unsigned'}}})
        box.space[name]:insert({1})
      end`);
    const { stderr } = await restore(target, await dump(source));
    match(stderr, /the option 'hint' is left out, .*: index 'pk' of space '[hv]'; index 'pk' of /);
    equal(await target.eval('return box.space.h:len() + box.space.v:count()'), 2);
  });
});
