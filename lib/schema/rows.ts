import { decode, type Value } from '../tuple/codec.js';
import { editArray, editMap } from '../tuple/edit.js';
import { joinFields, splitFields } from '../tuple/fields.js';
import { arrayHeader, mapHeader, str, uint } from '../tuple/msgpack.js';
import type { Catalog, SystemRow } from './catalog.js';
import { Field, SystemSpace } from './system.js';

export type Table = Record<string, Value>;

export function isTable(value: Value | undefined): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

/** What the server puts into a field that an older row does not have, by the field's type. */
function emptyValue(type: Value | undefined): Buffer {
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
 * Adds the fields that a newer server's system space has and the row has not.
 *
 * @param target - the catalog of the server that will get the row
 */
export function padded(row: SystemRow, spaceId: number, target: Catalog): SystemRow {
  const definition = target
    .rows(SystemSpace.SPACE)
    .find(({ fields }) => fields[Field.space.id] === spaceId);
  const format = definition?.fields[Field.space.format];
  // Fields that are nullable may be left out, and their absence is kept.
  const missing = (Array.isArray(format) ? format : [])
    .slice(row.fields.length)
    .filter((field): field is Table => isTable(field) && field['is_nullable'] !== true);
  if (missing.length === 0) return row;
  const raw = joinFields([
    ...splitFields(row.raw),
    ...missing.map((field) => emptyValue(field['type'])),
  ]);
  return { raw, fields: decode(raw) as Value[] };
}
