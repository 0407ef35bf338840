import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import fc from 'fast-check';
import { cat, dump, parseUri, TntarError } from '../../lib/index.js';
import { isAtLeast } from '../integration/fidelity/roundtrip.js';
import { shell } from '../support/cli.js';
import { Postgres } from '../support/postgres.js';
import { startServer, type TestServer } from '../support/server.js';
import { holds } from './runs.js';
import { DROP_TABLES, MAKE_TABLES, type TableSpace, tables } from './tables.js';

/** What a server has in a space: for each row and field a letter for the kind, and the value. */
interface Told {
  name: string;
  rows: string[][];
}

/** Reasons for which a space is refused. Each error has a hint as well. */
const REFUSALS = [
  /^space '.*': PostgreSQL does not allow a table with the name "pg_/,
  /^space '.*': SQLite does not allow a table with the name "sqlite_/,
  /^space '.*': every table of PostgreSQL already has a column "(xmin|ctid|tableoid)"$/,
  /^space '.*': the name ".*" has 6\d bytes, and the limit of PostgreSQL is 63$/,
  /^space '.*': SQLite cannot tell the columns ".*" and ".*" apart$/,
  /^space '.*', row \[.*, field '.*': a string with a zero byte, which PostgreSQL cannot hold$/,
  /^space '.*', row \[.*, field '.*': the number -0\.0, which .* turns into 0$/,
  /^space '.*', row \[.*, field '.*': a float that is not a number, which SQLite turns into null$/,
];

const double = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE(0);

/** Compares a number that a server tells with `%.17g` with one of a database. */
function sameNumber(told: string, found: number, what: string): void {
  const value = { nan: Number.NaN, '-nan': Number.NaN, inf: 1 / 0, '-inf': -1 / 0 }[told];
  ok(Object.is(found, value ?? Number(told)), `${what}: ${told} became ${found}`);
}

/** Compares what a server tells of a value with the JSON of it. */
function sameJson(told: string, json: string, what: string): void {
  const [kind, value] = [told[0], told.slice(1)];
  const found: unknown = JSON.parse(json);
  if (told === 'null') equal(found, null, what);
  else if (kind === 'b') equal(String(found), value, what);
  else if (kind === 's') equal(found, Buffer.from(value, 'hex').toString(), what);
  else if (kind === 'i') equal(json, value, what);
  else if (kind === 'j') deepEqual(found, JSON.parse(value), what);
  else if (kind === 'f')
    sameNumber(value, typeof found === 'string' ? Number(found) : Number(json), what);
  else equal(found, value, what);
}

const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Ways to load a text, and to ask for each value of a table by a kind and a text. */
interface Database {
  load(text: Buffer): Promise<{ code: number | null; stderr: string }>;
  /** Rows of values, in the order of the first column; null stands for null. */
  rows(
    table: string,
    columns: readonly TableSpace['fields'][number][],
  ): Promise<(string | null)[][]>;
  compare(told: string, found: string | null, type: string, what: string): void;
}

const JSON_TYPES = ['any', 'scalar', 'map', 'array'];

class InPostgres implements Database {
  constructor(
    private readonly postgres: Postgres,
    private readonly folder: string,
  ) {}

  async load(text: Buffer): Promise<{ code: number | null; stderr: string }> {
    const file = join(this.folder, 'postgres.sql');
    writeFileSync(file, text);
    return this.postgres.run(`${this.postgres.psql} < ${file}`);
  }

  async rows(table: string, columns: TableSpace['fields']): Promise<(string | null)[][]> {
    const values = columns.map(({ name: column, type }) => {
      const value = name(column);
      if (JSON_TYPES.includes(type)) return `${value}::text`;
      if (type === 'string') return `encode(convert_to(${value}, 'UTF8'), 'hex')`;
      if (type === 'varbinary') return `encode(${value}, 'hex')`;
      if (type === 'double') return `encode(float8send(${value}), 'hex')`;
      if (type === 'datetime') return `(extract(epoch from ${value}) * 1000000)::numeric(30)::text`;
      return `${value}::text`;
    });
    const row = `json_build_array(${values.join()})`;
    const sql = `SELECT json_agg(${row} ORDER BY ${name(columns[0]!.name)}) FROM ${name(table)}`;
    const [line] = await this.postgres.query(sql);
    return line === 'NULL' ? [] : JSON.parse(line!.replaceAll('\n', ''));
  }

  compare(told: string, found: string | null, type: string, what: string): void {
    const value = told.slice(1);
    if (told === 'null') ok(found === null || found === 'null', what);
    else if (JSON_TYPES.includes(type)) sameJson(told, found!, what);
    else if (type === 'double') sameNumber(value, double(found!), what);
    else if (told[0] === 'f') sameNumber(value, Number(found), what);
    else if (told[0] === 't') {
      const [seconds = '', nanoseconds = ''] = value.split(',');
      equal(BigInt(found!), BigInt(seconds) * 1_000_000n + BigInt(nanoseconds) / 1000n, what);
    } else equal(found, value, what);
  }
}

class InSqlite implements Database {
  #file = '';
  #count = 0;

  constructor(private readonly folder: string) {}

  async load(text: Buffer): Promise<{ code: number | null; stderr: string }> {
    this.#file = join(this.folder, `${this.#count++}.db`);
    writeFileSync(`${this.#file}.sql`, text);
    return shell(`sqlite3 ${this.#file} < ${this.#file}.sql`);
  }

  async rows(table: string, columns: TableSpace['fields']): Promise<(string | null)[][]> {
    const values = columns.map(({ name: column }) => {
      const value = name(column);
      return `CASE typeof(${value}) WHEN 'null' THEN NULL WHEN 'integer' THEN 'i' || ${value}
        WHEN 'real' THEN 'r' || hex(ieee754_to_blob(${value})) ELSE 'h' || hex(${value}) END`;
    });
    const sql = `SELECT json_group_array(json(line)) FROM (SELECT json_array(${values.join()}) AS line
      FROM ${name(table)} ORDER BY CAST(${name(columns[0]!.name)} AS NUMERIC))`;
    writeFileSync(`${this.#file}.query`, sql);
    const { stdout, code, stderr } = await shell(`sqlite3 ${this.#file} < ${this.#file}.query`);
    equal(code, 0, stderr);
    return JSON.parse(String(stdout));
  }

  compare(told: string, found: string | null, type: string, what: string): void {
    const value = told.slice(1);
    if (told === 'null') {
      ok(found === null || (JSON_TYPES.includes(type) && found === 'h6E756C6C'), what);
      return;
    }
    const rest = found!.slice(1);
    const text = Buffer.from(rest, 'hex').toString();
    if (JSON_TYPES.includes(type)) sameJson(told, text, what);
    else if (told[0] === 's') equal(rest.toLowerCase(), value, what);
    else if (told[0] === 'b') equal(rest, value === 'true' ? '1' : '0', what);
    else if (told[0] === 'f')
      sameNumber(value, found![0] === 'r' ? double(rest) : Number(rest), what);
    else if (told[0] === 'i') equal(found![0] === 'h' ? text : rest, value, what);
    else if (told[0] !== 't') equal(text, value, what);
  }
}

/** Keeps all that is written to it. */
class Kept extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

describe('random spaces', () => {
  let folder: string;
  let server: TestServer;
  let postgres: Postgres;
  let hasDatetime: boolean;
  let databases: Record<'postgres' | 'sqlite', Database>;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-tables-'));
    server = await startServer();
    hasDatetime = isAtLeast(server, '2.10');
    postgres = Postgres.start();
    databases = { postgres: new InPostgres(postgres, folder), sqlite: new InSqlite(folder) };
  });
  after(async () => {
    postgres.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The text of a space; undefined where it is refused for a reason that is known. */
  const written = async (archive: Buffer, space: string, format: 'postgres' | 'sqlite') => {
    const output = new Kept();
    try {
      await cat(Readable.from([archive]), output, { space, format });
      return output.bytes;
    } catch (error) {
      ok(error instanceof TntarError, String(error));
      ok(
        REFUSALS.some((each) => each.test(error.message)),
        error.message,
      );
      match(error.hint ?? '', /--fields|--format|--invalid-utf8/);
      return undefined;
    }
  };

  /** Makes spaces. A server that its own Lua call ends is started again, and the spaces are passed over. */
  const madeOf = async (spaces: readonly TableSpace[]): Promise<Told[]> => {
    try {
      return await server.eval<Told[]>(
        MAKE_TABLES,
        ...spaces.map((each) => ({ ...each, rows: each.rows.map((row) => row.toString('hex')) })),
      );
    } catch (error) {
      if (!/^the server ended/.test((error as Error).message)) throw error;
      await server.restart();
      return fc.pre(false) as never;
    }
  };

  for (const format of ['postgres', 'sqlite'] as const) {
    const counts = { loaded: 0, refused: 0 };
    holds(
      `load into ${format} with the same values as on the server, or are refused with a reason`,
      6,
      fc.asyncProperty(
        fc.constant(null).chain(() => tables(hasDatetime)),
        async (spaces) => {
          await server.eval(DROP_TABLES);
          const told = await madeOf(spaces);
          const kept = new Kept();
          await dump(parseUri(server.uri), kept);
          const archive = kept.bytes;
          const database = databases[format];
          await postgres.query('DROP SCHEMA public CASCADE');
          await postgres.query('CREATE SCHEMA public');
          for (const { name: table, rows } of told) {
            const text = await written(archive, table, format);
            if (text === undefined) {
              counts.refused++;
              continue;
            }
            counts.loaded++;
            const { code, stderr } = await database.load(text);
            equal(code, 0, `${table}: ${stderr}`);
            const { fields } = spaces.find((each) => each.name === table)!;
            const found = await database.rows(table, fields);
            equal(found.length, rows.length, table);
            rows.sort((a, b) => Number(a[0]!.slice(1)) - Number(b[0]!.slice(1)));
            for (const [i, row] of rows.entries()) {
              for (const [j, value] of row.entries()) {
                const { name: field, type } = fields[j]!;
                database.compare(
                  value,
                  found[i]![j]!,
                  type,
                  `${table}, row ${i}, ${field} (${type})`,
                );
              }
            }
          }
        },
      ),
      () => ok(4 * counts.loaded > counts.refused, JSON.stringify(counts)),
    );
  }
});
