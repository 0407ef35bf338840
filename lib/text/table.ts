import { quoted } from '../base/report.js';
import type { SystemRow } from '../schema/catalog/catalog.js';
import { isTable } from '../schema/catalog/rows.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import type { Value } from '../tuple/codec.js';
import { indexNames, sameTables } from './index-names.js';
import { checkColumns, type Layout, type TextColumn } from './layout.js';
import { checkLimits, checkName, type TableLimits } from './limits.js';
import type { Strings } from './strings.js';
import { Unrepresentable } from './unrepresentable.js';

/** The contents of a column, as far as databases distinguish them. */
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

/** Groups by the type of a field; 1.x had `num` and `str`. All other types hold values of several kinds: JSON. */
const GROUPS: ReadonlyMap<string, Group> = new Map([
  ['unsigned', 'integer'],
  ['num', 'integer'],
  ['integer', 'integer'],
  ['int', 'integer'],
  ['number', 'number'],
  ['double', 'float'],
  ['float32', 'float'],
  ['float64', 'float'],
  ['decimal', 'decimal'],
  ['decimal32', 'decimal'],
  ['decimal64', 'decimal'],
  ['decimal128', 'decimal'],
  ['decimal256', 'decimal'],
  ['boolean', 'boolean'],
  ['string', 'string'],
  ['str', 'string'],
  ['varbinary', 'binary'],
  ['uuid', 'uuid'],
  ['datetime', 'datetime'],
]);

/**
 * Returns the group of a type.
 *
 * @example groupOf('int8') // 'integer'
 */
export function groupOf(type: string): Group {
  return /^u?int(8|16|32|64)$/.test(type) ? 'integer' : (GROUPS.get(type) ?? 'json');
}

/** A primary key or another index over whole columns. */
interface TableKey {
  /** The name of the index in its space. */
  name: string;
  isUnique: boolean;
  columns: readonly TextColumn[];
}

/** A key of a table with a name that is unique in the database. */
export interface TableIndex extends TableKey {
  fullName: string;
}

/** A space as a table of another database. */
export interface Table {
  name: string;
  columns: readonly TextColumn[];
  primaryKey?: TableIndex;
  /** All other indexes. */
  indexes: readonly TableIndex[];
  /** Indexes that no table can have, one line each. */
  leftOut: readonly string[];
}

function partField(part: Value): number | undefined {
  if (Array.isArray(part)) return Number(part[0]); // in spaces that 1.x created
  return isTable(part) && part['path'] === undefined ? Number(part['field']) : undefined;
}

/** Returns the key of an index, or the reason why no table can have it. */
function keyOf(
  { fields }: SystemRow,
  columns: readonly TextColumn[],
  limits: TableLimits,
): TableKey | string {
  const { name, type, options, parts } = Field.index;
  const given = isTable(fields[options]) ? fields[options] : {};
  const kind = String(fields[type]).toLowerCase();
  if (kind !== 'tree' && kind !== 'hash') return `its type is ${kind}`;
  if (given['func'] !== undefined) return 'it is functional';
  const numbers = (fields[parts] as Value[]).map(partField);
  if (numbers.includes(undefined)) return 'it has parts with a path';
  const found = numbers.map((fieldNo) => columns.find((column) => column.fieldNo === fieldNo));
  if (found.includes(undefined)) return 'not all its fields were chosen';
  if (found.length > limits.keyColumns) {
    return `it has ${found.length} fields, and the limit of ${limits.database} is ${limits.keyColumns}`;
  }
  const isUnique = fields[Field.index.id] === 0 || given['unique'] !== false;
  return { name: String(fields[name]), isUnique, columns: found as TextColumn[] };
}

/**
 * Groups of columns that merge values that the fields distinguish, with the reason. An index over one is not unique.
 */
export type Blurred = Partial<Record<Group, string>>;

const REPLACED = 'different strings may become the same';
/** A decimal and its text, and binary data and the same data in base64, have the same form in JSON. */
const MIXED = 'values of different types may have the same text';

/**
 * Returns the table of a space.
 *
 * @throws Unrepresentable if the columns are unknown, and for columns and names that the database cannot have
 */
export function tableOf(
  layout: Layout,
  limits: TableLimits,
  { isLossy }: Strings,
  given: Blurred = {},
): Table {
  const blurred: Blurred = { ...given, json: MIXED, ...(isLossy ? { string: REPLACED } : {}) };
  const { space, catalog, columns } = layout;
  if (columns.length === 0) {
    throw new Unrepresentable(
      'the space has no format, index or row that defines columns',
      'choose fields by number, e.g. --fields 1,2',
    );
  }
  checkColumns(layout);
  checkLimits(space.name, columns, limits);
  const names = indexNames(catalog, limits);
  const indexes: TableIndex[] = [];
  const leftOut: string[] = sameTables(catalog, space, limits);
  let primaryKey: TableIndex | undefined;
  for (const row of catalog.rows(SystemSpace.INDEX)) {
    if (row.fields[Field.index.spaceId] !== space.id) continue;
    const key = keyOf(row, columns, limits);
    if (typeof key === 'string') {
      leftOut.push(`index ${quoted(row.fields[Field.index.name])} is left out: ${key}`);
      continue;
    }
    const [reason] = key.columns.flatMap(({ type }) => blurred[groupOf(type)] ?? []);
    if (reason !== undefined && key.isUnique) {
      leftOut.push(`index ${quoted(key.name)} is not unique in the output: ${reason}`);
    }
    const isUnique = key.isUnique && reason === undefined;
    const index = { ...key, isUnique, fullName: names.get(row)! };
    checkName(index.fullName, limits, 'use --format csv, and create the index by hand');
    if (row.fields[Field.index.id] === 0 && isUnique) primaryKey = index;
    else indexes.push(index);
  }
  const table = { name: space.name, columns, indexes, leftOut };
  return primaryKey === undefined ? table : { ...table, primaryKey };
}

/**
 * Returns a name as an SQL identifier.
 *
 * @example
 * identifier('a "b"'); // '"a ""b"""'
 */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns a list of columns in parentheses. */
export function columnList(columns: readonly TextColumn[]): string {
  return `(${columns.map(({ name }) => identifier(name)).join(', ')})`;
}

/** Options of the definition of a table. */
export interface Definition {
  typeOf(column: TextColumn): string;
  /** Text after the definition. */
  ending?: string;
  /** True if {@link addKey} follows the rows. */
  isKeyLater?: boolean;
}

/** Returns the definition of a table. */
export function createTable(
  { name, columns, primaryKey }: Table,
  { typeOf, ending = '', isKeyLater = false }: Definition,
): string {
  const lines = columns.map((column) => {
    const isRequired = !column.isNullable || primaryKey?.columns.includes(column);
    return `  ${identifier(column.name)} ${typeOf(column)}${isRequired ? ' NOT NULL' : ''}`;
  });
  if (primaryKey !== undefined && !isKeyLater)
    lines.push(`  PRIMARY KEY ${columnList(primaryKey.columns)}`);
  return `CREATE TABLE ${identifier(name)} (\n${lines.join(',\n')}\n)${ending};\n`;
}

/** Returns the statement that adds the primary key to a table with rows. */
function addPrimaryKey({ name }: Table, { fullName, columns }: TableIndex): string {
  const key = `CONSTRAINT ${identifier(fullName)} PRIMARY KEY ${columnList(columns)}`;
  return `ALTER TABLE ${identifier(name)} ADD ${key};\n`;
}

/**
 * Returns the statement that adds a key to a table with rows: the primary key if it is primary and unique, otherwise
 * an index.
 */
export function addKey(table: Table, index: TableIndex): string {
  const isPrimary = index.isUnique && index.fullName === table.primaryKey?.fullName;
  return isPrimary ? addPrimaryKey(table, index) : createIndex(table, index);
}

/** Returns the definition of an index. */
function createIndex(table: Table, { isUnique, fullName, columns }: TableIndex): string {
  const kind = isUnique ? 'UNIQUE INDEX' : 'INDEX';
  const named = `${kind} ${identifier(fullName)}`;
  return `CREATE ${named} ON ${identifier(table.name)} ${columnList(columns)};\n`;
}
