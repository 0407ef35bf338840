import { quoted } from '../report.js';
import type { SystemRow } from '../schema/catalog.js';
import { isTable } from '../schema/rows.js';
import { Field, SystemSpace } from '../schema/system.js';
import type { Value } from '../tuple/codec.js';
import type { Layout, TextColumn } from './layout.js';
import { Unfit } from './unfit.js';

/** What a column holds, as far as databases tell that apart. */
export type Group =
  | 'integer'
  | 'number'
  | 'float'
  | 'decimal'
  | 'boolean'
  | 'string'
  | 'binary'
  | 'uuid'
  | 'datetime'
  | 'json';

/** By the type of a field; 1.x had `num` and `str`. All others hold values of several kinds: JSON. */
const GROUPS: Readonly<Record<string, Group>> = {
  unsigned: 'integer',
  num: 'integer',
  integer: 'integer',
  int: 'integer',
  number: 'number',
  double: 'float',
  float32: 'float',
  float64: 'float',
  decimal: 'decimal',
  decimal32: 'decimal',
  decimal64: 'decimal',
  decimal128: 'decimal',
  decimal256: 'decimal',
  boolean: 'boolean',
  string: 'string',
  str: 'string',
  varbinary: 'binary',
  uuid: 'uuid',
  datetime: 'datetime',
};

/** @example groupOf('int8') // 'integer' */
export function groupOf(type: string): Group {
  return /^u?int(8|16|32|64)$/.test(type) ? 'integer' : (GROUPS[type] ?? 'json');
}

/** A primary key or another index, of whole columns. */
export interface TableKey {
  name: string;
  isUnique: boolean;
  columns: readonly TextColumn[];
}

/** A space as a table of another database. */
export interface Table {
  name: string;
  columns: readonly TextColumn[];
  primaryKey?: TableKey;
  indexes: readonly TableKey[];
  /** Indexes that no table can have, one line each. */
  leftOut: readonly string[];
}

function partField(part: Value): number | undefined {
  if (Array.isArray(part)) return Number(part[0]); // of spaces that 1.x made
  return isTable(part) && part['path'] === undefined ? Number(part['field']) : undefined;
}

/** The key that an index is, or why no table can have it. */
function keyOf({ fields }: SystemRow, columns: readonly TextColumn[]): TableKey | string {
  const { name, type, options, parts } = Field.index;
  const given = isTable(fields[options]) ? fields[options] : {};
  const kind = String(fields[type]).toLowerCase();
  if (kind !== 'tree' && kind !== 'hash') return `it is of the type ${kind}`;
  if (given['func'] !== undefined) return 'it is of what a function returns';
  const numbers = (fields[parts] as Value[]).map(partField);
  if (numbers.includes(undefined)) return 'it looks into fields';
  const found = numbers.map((fieldNo) => columns.find((column) => column.fieldNo === fieldNo));
  if (found.includes(undefined)) return 'not all its fields were asked for';
  const isUnique = fields[Field.index.id] === 0 || given['unique'] !== false;
  return { name: String(fields[name]), isUnique, columns: found as TextColumn[] };
}

/**
 * Readers such as `sqlite3` end a line at a zero byte, and the quote that follows it: what else a name says would
 * be run. Servers let nobody give such a name, so it is of somebody who hopes for that.
 */
function checkNames({ name, columns, indexes }: Table): void {
  const names = [name, ...[...columns, ...indexes].map((each) => each.name)];
  const bad = names.find((each) => each.includes('\0'));
  if (bad !== undefined) throw new Unfit(`the name ${JSON.stringify(bad)} has a zero byte`);
}

/**
 * @throws Unfit where nothing says which columns there are, and for names that nothing can hold
 * @param blurred - groups whose columns tell less apart than the fields do: a key of one cannot be unique
 */
export function tableOf(layout: Layout, blurred: readonly Group[] = []): Table {
  const { space, catalog, columns } = layout;
  if (columns.length === 0) {
    throw new Unfit('no format, index or row of it says which columns there are');
  }
  const indexes: TableKey[] = [];
  const leftOut: string[] = [];
  let primaryKey: TableKey | undefined;
  for (const row of catalog.rows(SystemSpace.INDEX)) {
    if (row.fields[Field.index.spaceId] !== space.id) continue;
    const key = keyOf(row, columns);
    if (typeof key === 'string') {
      leftOut.push(`index ${quoted(row.fields[Field.index.name])} is left out: ${key}`);
      continue;
    }
    const isBlurred = key.columns.some(({ type }) => blurred.includes(groupOf(type)));
    if (isBlurred && key.isUnique) {
      leftOut.push(`index ${quoted(key.name)} is not unique there: less of a datetime is kept`);
    }
    const isUnique = key.isUnique && !isBlurred;
    if (row.fields[Field.index.id] === 0 && isUnique) primaryKey = key;
    else indexes.push({ ...key, isUnique });
  }
  const table = { name: space.name, columns, indexes, leftOut };
  checkNames(table);
  return primaryKey === undefined ? table : { ...table, primaryKey };
}

/**
 * A name in SQL.
 *
 * @example
 * identifier('a "b"'); // '"a ""b"""'
 */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A list of columns, in parentheses. */
export function columnList(columns: readonly TextColumn[]): string {
  return `(${columns.map(({ name }) => identifier(name)).join(', ')})`;
}

/** The definition of a table, by the types that `typeOf` gives. */
export function createTable(
  { name, columns, primaryKey }: Table,
  typeOf: (column: TextColumn) => string,
  ending = '',
): string {
  const lines = columns.map((column) => {
    const isRequired = !column.isNullable || primaryKey?.columns.includes(column);
    return `  ${identifier(column.name)} ${typeOf(column)}${isRequired ? ' NOT NULL' : ''}`;
  });
  if (primaryKey !== undefined) lines.push(`  PRIMARY KEY ${columnList(primaryKey.columns)}`);
  return `CREATE TABLE ${identifier(name)} (\n${lines.join(',\n')}\n)${ending};\n`;
}

/** What an index is called there, where the names of indexes are those of the whole database. */
export function indexName(table: Table, index: TableKey): string {
  return `${table.name}_${index.name}`;
}

/** @param name - with none the database has to find one */
export function createIndex(table: Table, index: TableKey, name?: string): string {
  const kind = index.isUnique ? 'UNIQUE INDEX' : 'INDEX';
  const named = name === undefined ? kind : `${kind} ${identifier(name)}`;
  return `CREATE ${named} ON ${identifier(table.name)} ${columnList(index.columns)};\n`;
}
