import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Result } from '../support/cli.js';
import { bin, ext, float64, type Plain } from '../support/msgpack.js';
import { Postgres } from '../support/postgres.js';
import { TYPED_ROWS, writeSpace, writeTyped } from '../unit/text/carried.js';
import { NOT_UTF8 } from '../unit/text/values.js';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));

/** Spaces of the archive that 3.9 made, which hold something of most types, and names of all kinds. */
const SPACES = ['typed', 'orders', 'by_hash', 'sorted', 'times', 'Ünïcödé / кириллица "表"'];

const NULLS = 'NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL';

describe('cat --format postgres', () => {
  let folder: string;
  let file: string;
  let postgres: Postgres;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-cat-'));
    file = join(folder, 'typed.tar.zst');
    postgres = Postgres.start();
  });
  after(() => {
    postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => writeTyped(file));
  afterEach(() => postgres.query('DROP TABLE IF EXISTS typed'));

  const load = (args = ''): Promise<Result> => {
    const cat = `tntar cat typed -q -i ${file} --format postgres ${args}`;
    return postgres.run(`${cat} | ${postgres.psql}`);
  };
  const tables = () =>
    postgres.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");

  it('loads each type unchanged', async () => {
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    match(stderr, /1 datetimes lose precision: timestamptz keeps microseconds and no time zone/);
    const string = `'größe' || chr(9) || '\\"''' || chr(13) || chr(10)`;
    deepEqual(await postgres.query(`SELECT "string" = ${string} FROM typed WHERE id = 1`), ['t']);
    await postgres.query(`UPDATE typed SET "string" = 'same' WHERE id = 1`);
    await postgres.query("SET TIME ZONE 'UTC'");
    deepEqual(await postgres.query('SELECT * FROM typed ORDER BY id'), [
      '1|-5|1.5|0.1|-12345.67|t|same|\\x00ff5c|64d22e4d-ac92-4a23-899a-e59f34af5479|' +
        '2024-02-29 09:00:00+00|{"day": -3, "month": 1, "adjust": 1}|[1, null]|' +
        '{"a": {"b": "it\'s\\\\"}}|"text"|7|-1|255',
      `3|9223372036854775808|-12345.67|0.10000000149011612|NULL|NULL|\\N|${NULLS.slice(15)}`,
      `4|NULL|NULL|${NULLS}|NULL`,
      `5|NULL|NULL|${NULLS}|NULL`,
      `18446744073709551615|-9223372036854775808|18446744073709551615|Infinity|${'9'.repeat(76)}|f||` +
        '\\x|NULL|NULL|NULL|[]|{}|NULL|"x"|9223372036854775807|0',
    ]);
  });

  it('makes columns of the types that docs/reference/text-forms.md promises, and the indexes', async () => {
    await load();
    const columns = `SELECT data_type FROM information_schema.columns
      WHERE table_name = 'typed' ORDER BY ordinal_position`;
    deepEqual(await postgres.query(columns), [
      'numeric',
      'numeric',
      'numeric',
      'double precision',
      'numeric',
      'boolean',
      'text',
      'bytea',
      'uuid',
      'timestamp with time zone',
      'jsonb',
      'jsonb',
      'jsonb',
      'jsonb',
      'jsonb',
      'bigint',
      'smallint',
    ]);
    const required = `SELECT column_name FROM information_schema.columns
      WHERE table_name = 'typed' AND is_nullable = 'NO'`;
    deepEqual(await postgres.query(required), ['id']);
    const indexes = `SELECT replace(indexdef, 'public.', '') FROM pg_indexes
      WHERE tablename = 'typed' ORDER BY indexname`;
    deepEqual(await postgres.query(indexes), [
      'CREATE INDEX typed_by_string ON typed USING btree (string, "integer")',
      'CREATE INDEX typed_by_time ON typed USING btree ("a datetime")',
      'CREATE UNIQUE INDEX typed_by_uuid ON typed USING btree (uuid)',
      'CREATE UNIQUE INDEX typed_pkey ON typed USING btree (id)',
    ]);
  });

  it('loads moments at the edges of what the server holds, and refuses others by the key', async () => {
    const at = (seconds: bigint, nanoseconds = 0): Plain => {
      const payload = Buffer.alloc(16);
      payload.writeBigInt64LE(seconds);
      payload.writeInt32LE(nanoseconds, 8);
      return ext(4, payload);
    };
    const row = (id: number, time: Plain): Plain[] => [id, ...Array(8).fill(null), time];
    const edges = [-210_866_803_200n, -62_167_219_200n, -1n, 9_224_318_015_999n];
    writeTyped(
      file,
      edges.map((seconds, id) => row(id, at(seconds, 123_456_789))),
    );
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    const times = `SELECT "a datetime" AT TIME ZONE 'UTC' FROM typed ORDER BY id`;
    deepEqual(await postgres.query(times), [
      '4714-11-24 00:00:00.123456 BC',
      '0001-01-01 00:00:00.123456 BC',
      '1969-12-31 23:59:59.123456',
      '294276-12-31 23:59:59.123456',
    ]);
    writeTyped(file, [row(7, at(9_224_318_016_000n))]);
    match(
      (await load()).stderr,
      /row \[7\], field 'a datetime': a datetime that PostgreSQL cannot/,
    );
  });

  it('loads nothing if the format has no form for a row, and names the row', async () => {
    const rowWith = (value: Plain): Plain[] => [8, ...Array(5).fill(null), value];
    const inJson = [9, ...Array(10).fill(null), ['a\0']];
    for (const [row, message] of [
      [rowWith('a\0'), /row \[8\], field 'string': a string with a zero byte, which PostgreSQL/],
      [inJson, /row \[9\], field 'a array': a string with a zero byte/],
      [rowWith(NOT_UTF8), /row \[8\], field 'string': .*not valid UTF-8/],
      [[1, 'a'], /row \[1\], field 'integer': the format says integer, and the value is a string/],
      [[1, 2, 3, 2n ** 53n + 1n], /field 'double': .* equals the integer 9007199254740993/],
      [Array(18).fill(1), /row \[1\]: a row has 18 fields, but there are only 17 columns/],
    ] as [Plain[], RegExp][]) {
      writeTyped(file, [...TYPED_ROWS, row]);
      const { code, stderr } = await load();
      equal(code, 1, stderr);
      match(stderr, message);
      deepEqual(await tables(), ['']);
    }
  });

  it('loads as many columns as the server takes, and refuses more before the first row', async () => {
    const write = (count: number): void => {
      const format = Array.from({ length: count }, (_, i) => ({
        name: i === 1 ? 'x'.repeat(63) : `f${i}`,
        type: i === 0 ? 'unsigned' : 'any',
        is_nullable: i > 0,
      }));
      writeSpace(file, { name: 'typed', format }, [[1], [2, ...Array(count - 1).fill(null)]]);
    };
    write(1600);
    const fits = await load();
    equal(fits.code, 0, fits.stderr);
    deepEqual(await postgres.query('SELECT f0, f1599 FROM typed'), ['1|NULL', '2|NULL']);
    await postgres.query('DROP TABLE typed');
    write(1601);
    const { code, stderr } = await load();
    equal(code, 1);
    match(
      stderr,
      /^tntar: space 'typed': there are 1601 columns, .*\nhint: choose up to 1600 .*--fields/,
    );
    deepEqual(await tables(), ['']);
    equal((await load('--fields f0,f2')).code, 0);
  });

  it('refuses names that the server would cut or refuse', async () => {
    const field = (name: string) => ({ name, type: 'unsigned' });
    const long = 'x'.repeat(64);
    for (const [name, column, reason] of [
      [
        'typed',
        long,
        /the name "x{64}" has 64 bytes, and the limit of PostgreSQL is 63\nhint: .*--fields/,
      ],
      [long, 'id', /the name "x{64}" has 64 bytes, and the limit of PostgreSQL is 63\nhint: .*csv/],
      ['typed', 'xmin', /PostgreSQL already has a column "xmin"\nhint: .*--fields/],
    ] as const) {
      writeSpace(file, { name, format: [field('n'), field(column)] }, [[1, 2]]);
      const { code, stderr } = await postgres.run(
        `tntar cat ${name} -q -i ${file} --format postgres`,
      );
      equal(code, 1);
      match(stderr, reason);
    }
  });

  it('loads indexes of up to 32 fields, each under an unused name', async () => {
    const all = Array.from({ length: 33 }, (_, i) => i);
    const parts = (numbers: number[]): Plain[] => numbers.map((i) => [i, 'unsigned']);
    const indexes: Plain[][] = [
      [0, 'primary', 'tree', { unique: true }, parts(all.slice(0, 32))],
      [1, 'pkey', 'tree', { unique: false }, parts([1])],
      [2, 'y'.repeat(60), 'tree', { unique: false }, parts([2])],
      [3, 'f2_idx', 'tree', { unique: false }, parts([3])],
      [4, 'wide', 'tree', { unique: false }, parts(all)],
    ];
    const format = all.map((i) => ({ name: `f${i}`, type: 'unsigned' }));
    writeSpace(file, { name: 'typed', format, indexes }, [all]);
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    match(stderr, /index 'wide' is left out: it has 33 fields, and the limit of PostgreSQL is 32/);
    const names = "SELECT indexname FROM pg_indexes WHERE tablename = 'typed' ORDER BY 1";
    deepEqual(await postgres.query(names), [
      'typed_f2_idx',
      'typed_pkey',
      'typed_pkey_2',
      `typed_${'y'.repeat(57)}`,
    ]);
  });

  it('leaves out only the index for which a key is too long', async () => {
    // text that nothing compresses
    const noise = (length: number): string =>
      randomBytes(length).toString('base64').slice(0, length);
    const any = { is_nullable: true };
    const format = [
      { name: 'id', type: 'unsigned' },
      { name: 'a', type: 'string' },
      { name: 'b', type: 'string', ...any },
      { name: 'bytes', type: 'varbinary', ...any },
    ];
    const part = (field: number): Plain => ({ field, ...any, type: format[field]!.type });
    for (const [row, parts, isMade] of [
      [[1, noise(2692)], [1], true],
      [[1, noise(2693)], [1], false],
      [[1, noise(100), noise(2588)], [1, 2], true],
      [[1, noise(100), noise(2589)], [1, 2], false],
      [[1, '', null, bin(randomBytes(2684))], [2, 3], true],
      [[1, '', null, bin(randomBytes(2685))], [2, 3], false],
    ] as [Plain[], number[], boolean][]) {
      const indexes: Plain[][] = [
        [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]],
        [1, 'long', 'tree', { unique: false }, parts.map(part)],
      ];
      writeSpace(file, { name: 'typed', format, indexes }, [row]);
      const { code, stderr } = await load();
      equal(code, 0, stderr);
      const names = "SELECT indexname FROM pg_indexes WHERE tablename = 'typed' ORDER BY 1";
      const made = await postgres.query(names);
      deepEqual(made, isMade ? ['typed_long', 'typed_pkey'] : ['typed_pkey'], stderr);
      equal(/index 'long' is left out: a key in it has \d+ bytes/.test(stderr), !isMade, stderr);
      if (!isMade) {
        // the server itself refuses it
        const columns = parts.map((i) => format[i]!.name).join();
        const made = postgres.query(`CREATE INDEX ON typed (${columns})`);
        await rejects(made, /exceeds btree version 4 maximum 2704/);
      }
      await postgres.query('DROP TABLE typed');
    }
  });

  it('leaves out a primary key that is too long, and says so', async () => {
    const indexes: Plain[][] = [[0, 'pk', 'tree', { unique: true }, [[0, 'string']]]];
    const long = randomBytes(4000).toString('base64');
    writeSpace(file, { name: 'typed', format: [{ name: 'id', type: 'string' }], indexes }, [
      [long],
    ]);
    const { code, stderr } = await load();
    equal(code, 0, stderr);
    match(stderr, /warning: index 'pk' is left out: a key in it has \d+ bytes/);
    deepEqual(await postgres.query('SELECT count(*) FROM typed'), ['1']);
  });

  it('loads a float and a decimal with the same text, and reports the index that is not unique there', async () => {
    const format = ['id', 'value'].map((name) => ({ name, type: 'number' }));
    const indexes: Plain[][] = [
      [0, 'pk', 'tree', { unique: true }, [[0, 'number']]],
      [1, 'value', 'tree', { unique: true }, [[1, 'number']]],
    ];
    // The decimal 0.30000000000000004, and the integer that 2^63 reads as.
    const decimal = ext(1, Buffer.from('1130000000000000004c', 'hex'));
    for (const [rows, names] of [
      [
        [
          [float64(0.1 + 0.2), 1],
          [decimal, 2],
        ],
        ["index 'pk'"],
      ],
      [
        [
          [1, float64(2 ** 63)],
          [2, 9_223_372_036_854_776_000n],
        ],
        ["index 'value'"],
      ],
      [
        [
          [float64(0.5), float64(0.1 + 0.2)],
          [2, 9_007_199_254_740_993n],
        ],
        ["index 'value'"],
      ],
      [
        [
          [float64(0.1 + 0.2), 1],
          [2, float64(1.5)],
        ],
        [],
      ],
    ] as [Plain[][], string[]][]) {
      writeSpace(file, { name: 'typed', format, indexes }, rows);
      const { code, stderr } = await load();
      equal(code, 0, stderr);
      const said =
        stderr.match(/index '\w+'(?= is not unique in the output: a float and another)/g) ?? [];
      deepEqual([...said], names);
      deepEqual(await postgres.query('SELECT count(*) FROM typed'), ['2']);
      const unique = `SELECT count(*) FROM pg_index WHERE indisunique AND indrelid = 'typed'::regclass`;
      deepEqual(await postgres.query(unique), [String(2 - names.length)]);
      await postgres.query('DROP TABLE typed');
    }
  });

  it('loads the same rows with `sql`, for other databases, and prints the same warnings', async () => {
    const format = ['id', 'value'].map((name) => ({ name, type: 'number' }));
    const indexes: Plain[][] = format.map(({ name }, i) => [
      ...[i, name, 'tree', { unique: true }, [[i, 'number']]],
    ]);
    const decimal = ext(1, Buffer.from('1130000000000000004c', 'hex'));
    const rows = [
      [float64(0.1 + 0.2), 1],
      [decimal, 2],
    ];
    writeSpace(file, { name: 'typed', format, indexes }, rows);
    const { code, stderr } = await postgres.run(
      `tntar cat typed -q -i ${file} --format sql | ${postgres.psql}`,
    );
    equal(code, 0, stderr);
    match(stderr, /index 'id' is not unique in the output: a float and another number may have/);
    deepEqual(await postgres.query('SELECT * FROM typed ORDER BY value'), [
      '0.30000000000000004|1',
      '0.30000000000000004|2',
    ]);
  });

  it('refuses a row that is larger than a page, and loads a row that just fits a page', async () => {
    const load20 = async (count: number, value: Plain, type: string) => {
      const format = Array.from({ length: count }, (_, i) => ({ name: `f${i}`, type }));
      const indexes: Plain[][] = [[0, 'pk', 'tree', { unique: true }, [[0, type]]]];
      writeSpace(file, { name: 'typed', format, indexes }, [Array(count).fill(value)]);
      const result = await load();
      await postgres.query('DROP TABLE IF EXISTS typed');
      return result;
    };
    for (const [value, type, most] of [
      ['x'.repeat(20), 'string', 387],
      ['x'.repeat(100), 'string', 452],
      [float64(0.5), 'double', 1017],
      [12345, 'unsigned', 1162],
    ] as const) {
      const fits = await load20(most, value, type);
      equal(fits.code, 0, `${type}: ${fits.stderr}`);
      const { code, stderr } = await load20(most + 1, value, type);
      equal(code, 1);
      match(stderr, /row \[.*\]: a row of \d+ columns and at least 81\d\d bytes/);
    }
  });

  it('loads strings that are not valid UTF-8 as base64, and gives their bytes back', async () => {
    const string = { name: 'string', type: 'string' };
    const format = [string, { name: 'any', type: 'any', is_nullable: true }];
    const indexes: Plain[][] = [[0, 'pk', 'tree', { unique: true }, [[0, 'string']]]];
    const other = Buffer.of(0xa2, 0x61, 0xfe);
    const rows: Plain[][] = [
      [NOT_UTF8, [NOT_UTF8]],
      [other, { a: 'x\0' }],
      ['a\0', null],
      ['base64:', null],
      ['plain', null],
    ];
    writeSpace(file, { name: 'typed', format, indexes }, rows);
    const { code, stderr } = await load('--invalid-utf8 base64');
    equal(code, 0, stderr);
    match(stderr, /^tntar: warning: 6 strings not valid UTF-8, .*: written as base64$/m);
    const bytes = `CASE WHEN string LIKE 'base64:%' THEN decode(substr(string, 8), 'base64')
      ELSE convert_to(string, 'UTF8') END`;
    deepEqual(await postgres.query(`SELECT encode(${bytes}, 'hex') FROM typed ORDER BY 1`), [
      '6100',
      '61fe',
      '61ff',
      '6261736536343a',
      '706c61696e',
    ]);
    deepEqual(await postgres.query(`SELECT "any" FROM typed WHERE "any" IS NOT NULL ORDER BY 1`), [
      '["base64:Yf8="]',
      '{"a": "base64:eAA="}',
    ]);
    await postgres.query('DROP TABLE typed');
    // both keys are the same now, so nothing may be unique
    const replaced = await load('--invalid-utf8 replace');
    equal(replaced.code, 0, replaced.stderr);
    match(
      replaced.stderr,
      /warning: index 'pk' is not unique in the output: different strings may/,
    );
    deepEqual(await postgres.query(`SELECT string FROM typed ORDER BY string COLLATE "C"`), [
      'a\ufffd',
      'a\ufffd',
      'a\ufffd',
      'base64:',
      'plain',
    ]);
  });

  it('loads nothing from a stream that is cut at any byte', async () => {
    const sql = `${file}.sql`;
    const cat = await postgres.run(`tntar cat typed -q -i ${file} --format postgres > ${sql}`);
    equal(cat.code, 0, cat.stderr);
    // of the last 9 bytes 8 are the COMMIT
    for (const bytes of [9, 30, 100, 250, 400, 600, 900, 1500]) {
      await postgres.run(`head -c -${bytes} ${sql} | ${postgres.psql}`);
      deepEqual(await tables(), [''], `without ${bytes} bytes`);
    }
  });

  it('runs no part of a row as a command if the table already exists', async () => {
    await postgres.query('CREATE TABLE typed (id int); CREATE TABLE victim (id int)');
    const command: Plain[] = [1, ...Array(5).fill(null), 'x'];
    writeTyped(file, [
      command,
      [2, null, null, null, null, null, '\nROLLBACK; DROP TABLE victim;'],
    ]);
    const { code, stderr } = await load('--fields string,id');
    equal(code, 3, stderr);
    deepEqual((await tables()).sort(), ['typed', 'victim']);
    deepEqual(await postgres.query('SELECT count(*) FROM typed'), ['0']);
    await postgres.query('DROP TABLE victim');
  });

  it('loads chosen fields, with the indexes that consist of them', async () => {
    const { stderr } = await load('--fields uuid,id');
    match(stderr, /index 'by_string' is left out: not all its fields were chosen/);
    const indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'typed' ORDER BY 1";
    deepEqual(await postgres.query(indexes), ['typed_by_uuid', 'typed_pkey']);
    equal((await postgres.query('SELECT uuid FROM typed WHERE id = 1')).length, 1);
  });

  it('loads every row of the spaces of a real server', async () => {
    const archive = join(FIXTURES, '3.9.0-full.tar.zst');
    const { spaces } = JSON.parse(readFileSync(join(FIXTURES, '3.9.0-full.json'), 'utf8'));
    for (const space of SPACES) {
      const cat = `tntar cat "$SPACE" -q -i ${archive} --format postgres`;
      const { code, stderr } = await postgres.run(`${cat} | ${postgres.psql}`, { SPACE: space });
      equal(code, 0, `${space}: ${stderr}`);
      const table = `"${space.replaceAll('"', '""')}"`;
      const [count] = await postgres.query(`SELECT count(*) FROM ${table}`);
      equal(Number(count), spaces[space].rows, space);
      await postgres.query(`DROP TABLE ${table}`);
    }
  });
});
