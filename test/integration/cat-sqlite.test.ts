import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { type Result, shell } from '../support/cli.js';
import { ext, float64, type Plain } from '../support/msgpack.js';
import { TYPED_ROWS, writeSpace, writeTyped } from '../unit/text/carried.js';
import { NOT_UTF8 } from '../unit/text/values.js';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const SPACES = ['typed', 'orders', 'by_hash', 'sorted', 'Ünïcödé / кириллица "表"'];

describe('cat --format sqlite', () => {
  let folder: string;
  let file: string;
  let database: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-cat-'));
    file = join(folder, 'typed.tar.zst');
    database = join(folder, 'a.db');
    writeTyped(file);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const load = (args = ''): Promise<Result> =>
    shell(`tntar cat typed -q -i ${file} --format sqlite ${args} | sqlite3 ${database}`);
  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const result = await shell(`sqlite3 -json ${database} "$SQL"`, { env: { SQL: sql } });
    equal(result.code, 0, result.stderr);
    return JSON.parse(String(result.stdout) || '[]');
  };

  it('loads each type unchanged', async () => {
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    const shown = `SELECT typeof(id) || ' ' || id AS id, typeof("integer") || ' ' || "integer" AS "integer",
      typeof(number) || ' ' || number AS number, printf('%!.17g', "double") AS "double", decimal,
      boolean, hex(string) AS string, hex(varbinary) AS varbinary, uuid, "a datetime", "a interval",
      "a array", "a map", "a any", "a scalar", "a int64", "a uint8" FROM typed`;
    const [first, last, odd, ...empty] = await query(shown);
    deepEqual(first, {
      id: 'integer 1',
      integer: 'integer -5',
      number: 'real 1.5',
      double: '0.10000000000000001',
      decimal: '-12345.67',
      boolean: 1,
      string: Buffer.from('größe\t\\"\'\r\n').toString('hex').toUpperCase(),
      varbinary: '00FF5C',
      uuid: '64d22e4d-ac92-4a23-899a-e59f34af5479',
      'a datetime': '2024-02-29T12:00:00.000000001+03:00[Europe/Moscow]',
      'a interval': '{"month":1,"day":-3,"adjust":1}',
      'a array': '[1,null]',
      'a map': '{"a":{"b":"it\'s\\\\"}}',
      'a any': '"text"',
      'a scalar': '7',
      'a int64': -1,
      'a uint8': 255,
    });
    equal(last?.['id'], 'text 18446744073709551615');
    equal(last?.['integer'], 'integer -9223372036854775808');
    equal(last?.['number'], 'text 18446744073709551615');
    equal(last?.['double'], 'Inf');
    equal(last?.['decimal'], '9'.repeat(76));
    deepEqual([last?.['string'], last?.['varbinary'], last?.['uuid']], ['', '', null]);
    equal(odd?.['integer'], 'text 9223372036854775808');
    equal(odd?.['number'], 'text -12345.67');
    equal(odd?.['string'], Buffer.from('\\N').toString('hex').toUpperCase());
    equal(empty.length, 2);
  });

  it('creates typed columns and the indexes', async () => {
    await load();
    const columns = await query("SELECT type FROM pragma_table_info('typed')");
    deepEqual(
      columns.map(({ type }) => type).join(' '),
      'ANY ANY ANY REAL TEXT INTEGER TEXT BLOB TEXT TEXT TEXT TEXT TEXT TEXT TEXT INTEGER INTEGER',
    );
    deepEqual(
      await query(`SELECT name, "unique" AS u FROM pragma_index_list('typed') ORDER BY 1`),
      [
        { name: 'sqlite_autoindex_typed_1', u: 1 },
        { name: 'typed_by_string', u: 0 },
        { name: 'typed_by_time', u: 1 },
        { name: 'typed_by_uuid', u: 1 },
      ],
    );
  });

  it('keeps strings with a zero byte', async () => {
    writeTyped(file, [[1, ...Array(5).fill(null), "a\0'b"]]);
    await load();
    deepEqual(await query('SELECT hex(string) AS hex, typeof(string) AS type FROM typed'), [
      { hex: '61002762', type: 'text' },
    ]);
  });

  it('keeps doubles', async () => {
    const doubles = fc
      .sample(fc.double({ noNaN: true, noDefaultInfinity: true }), { numRuns: 300, seed: 7 })
      .filter((value) => Math.abs(value) > 1e-280);
    writeTyped(
      file,
      doubles.map((value, i): Plain[] => [i, null, null, float64(value)]),
    );
    await load();
    const read = await query(`SELECT printf('%!.17g', "double") AS text FROM typed ORDER BY id`);
    const far = read.filter(({ text }, i) => Math.abs(Number(text) / doubles[i]! - 1) > 2 ** -51);
    deepEqual(far, []);
  });

  it('loads numbers of different types that look alike under unique keys, each once', async () => {
    const format = ['id', 'value'].map((name) => ({ name, type: 'number' }));
    const indexes: Plain[][] = format.map(({ name }, i) => [
      ...[i, name, 'tree', { unique: true }, [[i, 'number']]],
    ]);
    /** Of 17 digits: packed ones, after the number of those behind the point. */
    const decimal = (digits: string, scale: number): Plain =>
      ext(1, Buffer.from(`${scale.toString(16).padStart(2, '0')}${digits}c`, 'hex'));
    const numbers: Plain[] = [
      float64(0.1 + 0.2),
      decimal('30000000000000004', 17),
      float64(2 ** 53),
      2n ** 53n + 1n,
      float64(2 ** 63),
      2n ** 63n - 1n,
      2n ** 63n + 1n,
      decimal('90071992547409925', 1),
    ];
    writeSpace(
      file,
      { name: 'typed', format, indexes },
      numbers.map((number) => [number, number]),
    );
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    const [counted] = await query('SELECT count(*) AS c, count(DISTINCT id) AS d FROM typed');
    deepEqual(counted, { c: numbers.length, d: numbers.length });
    const unique = await query(`SELECT "unique" FROM pragma_index_list('typed')`);
    deepEqual(unique, [{ unique: 1 }, { unique: 1 }]);
  });

  it('refuses values that SQLite would store as null', async () => {
    writeTyped(file, [[1, null, null, float64(Number.NaN)]]);
    const { code, stderr } = await load();
    equal(code, 1);
    match(
      stderr,
      /row \[1\], field 'double': a float that is not a number, which SQLite turns into null/,
    );
  });

  it('loads as many columns as SQLite takes, and refuses more before the first row', async () => {
    const write = (count: number): void => {
      const format = Array.from({ length: count }, (_, i) => ({
        name: `f${i}`,
        type: i === 0 ? 'unsigned' : 'any',
        is_nullable: i > 0,
      }));
      writeSpace(file, { name: 'typed', format }, [[1], Array(count).fill(2)]);
    };
    write(2000);
    const fits = await load();
    equal(fits.code, 0, fits.stderr);
    deepEqual(await query('SELECT f0, f1999 FROM typed'), [
      { f0: 1, f1999: null },
      { f0: 2, f1999: '2' },
    ]);
    write(2001);
    const { code, stderr } = await shell(`tntar cat typed -q -i ${file} --format sqlite | wc -c`);
    equal(code, 1);
    match(
      stderr,
      /^tntar: space 'typed': there are 2001 columns, .*\nhint: choose up to 2000 .*--fields/,
    );
    rmSync(database);
    equal((await load('--fields f0,f1')).code, 0);
  });

  it('refuses names that SQLite would refuse, and loads an index for each name', async () => {
    const indexes = ['primary', 'a', 'A', 'pkey'].map((name, id) => [
      id,
      name,
      'tree',
      { unique: true },
      [[0, 'unsigned']],
    ]);
    const field = (name: string) => ({ name, type: 'unsigned' });
    writeSpace(file, { name: 'typed', format: [field('id')], indexes }, [[1]]);
    const fits = await load();
    equal(fits.code, 0, fits.stderr);
    deepEqual(await query(`SELECT count(*) AS n FROM pragma_index_list('typed')`), [{ n: 4 }]);
    for (const [name, format, reason] of [
      [
        'sqlite_users',
        [field('id')],
        /SQLite does not allow a table with the name "sqlite_users"\nhint: /,
      ],
      ['users', [field('id'), field('ID')], /cannot tell the columns "id" and "ID" apart\nhint: /],
    ] as const) {
      writeSpace(file, { name, format }, [format.map((_, i) => i)]);
      const { code, stderr } = await shell(`tntar cat ${name} -q -i ${file} --format sqlite`);
      equal(code, 1);
      match(stderr, reason);
      const fields = format.map((each) => `"${each.name}" INTEGER`).join(', ');
      const made = await shell(`sqlite3 ${database} 'CREATE TABLE ${name} (${fields})'`);
      match(made.stderr, /reserved for internal use|duplicate column name/);
    }
  });

  it('loads strings that are not valid UTF-8, replaced or as base64', async () => {
    const format = [{ name: 'string', type: 'string' }];
    const indexes: Plain[][] = [[0, 'pk', 'tree', { unique: true }, [[0, 'string']]]];
    const rows = [[NOT_UTF8], [Buffer.of(0xa2, 0x61, 0xfe)], ['a\0'], ['plain']];
    writeSpace(file, { name: 'typed', format, indexes }, rows);
    const strings = async (): Promise<unknown[]> =>
      (await query('SELECT hex(string) AS hex FROM typed')).map(({ hex }) =>
        String(Buffer.from(String(hex), 'hex')),
      );
    const base64 = await load('--invalid-utf8 base64');
    equal(base64.code, 0, base64.stderr);
    deepEqual((await strings()).sort(), ['a\0', 'base64:Yf4=', 'base64:Yf8=', 'plain']);
    rmSync(database);
    const replaced = await load('--invalid-utf8 replace');
    equal(replaced.code, 0, replaced.stderr);
    match(replaced.stderr, /^tntar: warning: 2 strings not valid UTF-8, .*U\+FFFD/m);
    deepEqual((await strings()).sort(), ['a\0', 'a\ufffd', 'a\ufffd', 'plain']);
  });

  it('loads nothing from a stream that is cut at any byte', async () => {
    const sql = `${file}.sql`;
    const cat = await shell(`tntar cat typed -q -i ${file} --format sqlite > ${sql}`);
    equal(cat.code, 0, cat.stderr);
    // of the last 9 bytes 8 are the COMMIT
    for (const bytes of [9, 30, 100, 300, 700, 1300]) {
      await shell(`head -c -${bytes} ${sql} | sqlite3 ${database}`);
      deepEqual(await query('SELECT name FROM sqlite_master'), [], `without ${bytes} bytes`);
    }
  });

  it('changes nothing if the table already exists', async () => {
    await load();
    writeTyped(file, [[100]]);
    equal((await load()).code, 1);
    deepEqual(await query('SELECT count(*) AS n FROM typed'), [{ n: TYPED_ROWS.length }]);
  });

  it('loads every row of the spaces of a real server', async () => {
    const archive = join(FIXTURES, '3.9.0-full.tar.zst');
    const { spaces } = JSON.parse(readFileSync(join(FIXTURES, '3.9.0-full.json'), 'utf8'));
    for (const space of SPACES) {
      const cat = `tntar cat "$SPACE" -q -i ${archive} --format sqlite | sqlite3 ${database}`;
      const { code, stderr } = await shell(cat, { env: { SPACE: space } });
      equal(code, 0, `${space}: ${stderr}`);
      const table = `"${space.replaceAll('"', '""')}"`;
      deepEqual(await query(`SELECT count(*) AS n FROM ${table}`), [{ n: spaces[space].rows }]);
    }
  });
});
