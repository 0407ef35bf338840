import { indexBy } from '../../base/collections.js';
import { decode, type Value } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { Carried } from '../../tuple/exact-types.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import { arrayHeader, mapHeader, str, uint } from '../../tuple/msgpack.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';

export type Table = Record<string, Value>;

export function isTable(value: Value | undefined): value is Table {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Uint8Array) && !(value instanceof Carried);
}

/** Returns a map unchanged, and an empty map for any other value. */
export const tableOf = (value: Value | undefined): Table => (isTable(value) ? value : {});

/** Returns an array unchanged, and an empty array for any other value. */
export const arrayOf = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

/** @param row - of `_space` */
export const spaceIdOf = ({ fields }: SystemRow): number => Number(fields[Field.space.id]);

/** @param row - of `_space` */
export const spaceNameOf = ({ fields }: SystemRow): string => String(fields[Field.space.name]);

/**
 * Returns the row with the bytes of one field changed, and all other bytes unchanged.
 *
 * @param edit - called with the raw field; if it returns the same buffer, nothing changes
 */
export function editField(
  row: SystemRow,
  fieldNo: number,
  edit: (raw: Buffer) => Buffer,
): SystemRow {
  const raw = splitFields(row.raw);
  const field = raw[fieldNo];
  if (field === undefined) return row;
  const edited = edit(field);
  if (edited === field) return row;
  const fields = [...row.fields];
  raw[fieldNo] = edited;
  fields[fieldNo] = decode(edited);
  return { raw: joinFields(raw), fields };
}

/** Returns the map without some of its keys, and with its other bytes unchanged. */
export function withoutKeys(map: Buffer, keys: readonly string[]): Buffer {
  return editMap(map, (key, value) =>
    key !== undefined && keys.includes(key) ? undefined : value,
  );
}

/** Returns the ids of functions under a key such as `constraint`: a number, or numbers by name. */
function idsUnder(value: Value | undefined): Value[] {
  return isTable(value) ? Object.values(value) : value === undefined ? [] : [value];
}

/** Returns the ids of the functions that a row of `_space` uses in constraints and defaults. */
export function functionsOf({ fields }: Pick<SystemRow, 'fields'>): Value[] {
  const flags = fields[Field.space.flags];
  const format = fields[Field.space.format];
  const columns = (Array.isArray(format) ? format : []).filter(isTable);
  return [
    ...(isTable(flags) ? idsUnder(flags['constraint']) : []),
    ...columns.flatMap((column) => [
      ...idsUnder(column['constraint']),
      ...idsUnder(column['default_func']),
    ]),
  ];
}

/** Options of a row of `_space` that can be set only after the rows are loaded. */
const CHECKED_ON_INSERT = ['constraint', 'foreign_key'];
/** Options that change rows with a missing or null field. */
const FILLED_ON_INSERT = ['default', 'default_func'];

/**
 * Returns a row of `_space` without the options that would prevent or change the load of rows: constraints and
 * foreign keys, which are checked on insert and may form cycles, defaults, and `is_sync`, which waits for a quorum.
 *
 * @returns the same row if it has none of them
 */
export function withoutChecks(row: SystemRow): SystemRow {
  const flagged = editField(row, Field.space.flags, (flags) =>
    withoutKeys(flags, [...CHECKED_ON_INSERT, 'is_sync']),
  );
  return editField(flagged, Field.space.format, (format) =>
    editArray(format, (field) => withoutKeys(field, [...CHECKED_ON_INSERT, ...FILLED_ON_INSERT])),
  );
}

/** Returns a row of `_index` without vinyl's `lsn`, which belongs to the instance that created the index. */
export function withoutLsn(row: SystemRow): SystemRow {
  return editField(row, Field.index.options, (options) => withoutKeys(options, ['lsn']));
}

/** Returns the value that the server gives a field that an older row does not have, by the field's type. */
export function emptyValue(type: Value | undefined): Buffer {
  switch (type) {
    case 'unsigned':
    case 'integer':
    case 'number':
      return uint(0);
    case 'string':
      return str('');
    case 'boolean':
      return Buffer.of(0xc2);
    case 'array':
      return arrayHeader(0);
    case 'map':
      return mapHeader(0);
    default:
      return Buffer.of(0xc0);
  }
}

/**
 * Fields that a newer server has added to rows of a system space, and that may be removed for an older one: always,
 * or only if they are empty. All other fields are kept, whatever the format of the space says: the format of
 * `_schema` has two fields, and its rows have as many as an application writes.
 */
const CUT_FOR_OLDER: Readonly<Record<number, Readonly<Record<number, 'always' | 'empty'>>>> = {
  // The times and hashes of changed passwords.
  [SystemSpace.USER]: { [Field.user.authHistory]: 'always', [Field.user.lastModified]: 'always' },
  [SystemSpace.FUNC]: { [Field.func.trigger]: 'empty' },
};

function isEmpty(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isTable(value)) return Object.keys(value).length === 0;
  return !value;
}

/**
 * Prepares to make rows as long as the target's system space requires. Adds empty fields that a newer server has, and
 * removes fields of {@link CUT_FOR_OLDER} that the server does not have. A field with a value is kept, and
 * {@link unsupported} reports it.
 *
 * @param target - the catalog of the server that will get the rows
 * @example
 * const fitTo = fitter(SystemSpace.USER, target);
 * rows.map(fitTo);
 */
export function fitter(spaceId: number, target: Catalog): (row: SystemRow) => SystemRow {
  if (spaceId === SystemSpace.SCHEMA) return (row) => row;
  const definition = target
    .rows(SystemSpace.SPACE)
    .find(({ fields }) => fields[Field.space.id] === spaceId);
  const format = definition?.fields[Field.space.format];
  const known = Array.isArray(format) ? format : [];
  if (known.length === 0) return (row) => row;
  const isCut = (fields: Value[], fieldNo: number): boolean => {
    const when = CUT_FOR_OLDER[spaceId]?.[fieldNo];
    return when === 'always' || (when === 'empty' && isEmpty(fields[fieldNo]));
  };
  return (row) => {
    const { fields } = row;
    let length = fields.length;
    while (length > known.length && isCut(fields, length - 1)) length--;
    // Nullable fields may be left out, and stay left out.
    const missing = known
      .slice(fields.length)
      .filter((field): field is Table => isTable(field) && field['is_nullable'] !== true);
    if (missing.length === 0 && length === fields.length) return row;
    const raw = joinFields([
      ...splitFields(row.raw).slice(0, length),
      ...missing.map((field) => emptyValue(field['type'])),
    ]);
    return { raw, fields: decode(raw) as Value[] };
  };
}

/** Returns rows by one of their fields, which must be unique. */
export function rowsBy(rows: readonly SystemRow[], field: number): Map<Value, SystemRow> {
  return indexBy(rows, ({ fields }) => fields[field]!);
}
