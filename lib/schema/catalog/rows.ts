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

/** A map as it is; anything else as one without keys. */
export const tableOf = (value: Value | undefined): Table => (isTable(value) ? value : {});

/** An array as it is; anything else as one without members. */
export const arrayOf = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

/** @param row - of `_space` */
export const spaceIdOf = ({ fields }: SystemRow): number => Number(fields[Field.space.id]);

/** @param row - of `_space` */
export const spaceNameOf = ({ fields }: SystemRow): string => String(fields[Field.space.name]);

/**
 * The row with the bytes of one field changed, and all others as they are.
 *
 * @param edit - gets the raw field; the very same buffer back means that nothing changes
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

/** The map without some of its keys, its other bytes as they are. */
export function withoutKeys(map: Buffer, keys: readonly string[]): Buffer {
  return editMap(map, (key, value) =>
    key !== undefined && keys.includes(key) ? undefined : value,
  );
}

/** Ids of functions under a key such as `constraint`: a number, or numbers by name. */
function idsUnder(value: Value | undefined): Value[] {
  return isTable(value) ? Object.values(value) : value === undefined ? [] : [value];
}

/** Ids of the functions that a `_space` row names: constraints, and those that make defaults. */
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

/** What a `_space` row can ask for that has to wait until the data is there. */
const CHECKED_ON_INSERT = ['constraint', 'foreign_key'];
/** What would be put into rows that have nothing, or null, in its place. */
const FILLED_ON_INSERT = ['default', 'default_func'];

/**
 * A `_space` row without what would stand in the way of the data: constraints and foreign keys, which
 * are checked on insert and may form cycles, defaults, and `is_sync`, which waits for a quorum.
 *
 * @returns the same row where there is nothing of that
 */
export function withoutChecks(row: SystemRow): SystemRow {
  const flagged = editField(row, Field.space.flags, (flags) =>
    withoutKeys(flags, [...CHECKED_ON_INSERT, 'is_sync']),
  );
  return editField(flagged, Field.space.format, (format) =>
    editArray(format, (field) => withoutKeys(field, [...CHECKED_ON_INSERT, ...FILLED_ON_INSERT])),
  );
}

/** An `_index` row without vinyl's `lsn`, which is about the instance that made the index. */
export function withoutLsn(row: SystemRow): SystemRow {
  return editField(row, Field.index.options, (options) => withoutKeys(options, ['lsn']));
}

/** Returns what the server puts into a field that an older row does not have, by the field's type. */
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
 * Fields that a newer server has added to rows of a system space, and that may be cut for an older one:
 * always, or only where they are empty. All other fields stay, whatever the format of the space says:
 * that of `_schema` names two, and its rows hold as many as an application likes.
 */
const CUT_FOR_OLDER: Readonly<Record<number, Readonly<Record<number, 'always' | 'empty'>>>> = {
  // the times and hashes of passwords that were changed
  [SystemSpace.USER]: { [Field.user.authHistory]: 'always', [Field.user.lastModified]: 'always' },
  [SystemSpace.FUNC]: { [Field.func.trigger]: 'empty' },
};

function isEmpty(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isTable(value)) return Object.keys(value).length === 0;
  return !value;
}

/**
 * Prepares to make rows as long as the target's system space wants them: fields that a newer server
 * has are added, empty; fields of {@link CUT_FOR_OLDER} are cut for a server that does not have them. A
 * field that carries something stays, for {@link unsupported} to tell.
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
    // fields that are nullable may be left out, and their absence is kept
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

/** Returns rows by one of their fields, which is different in each. */
export function rowsBy(rows: readonly SystemRow[], field: number): Map<Value, SystemRow> {
  return indexBy(rows, ({ fields }) => fields[field]!);
}
