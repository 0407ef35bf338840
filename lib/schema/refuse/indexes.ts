import type { Value } from '../../tuple/codec.js';
import { parsePath } from '../../tuple/fields.js';
import { isTable, type Table, tableOf } from '../catalog/rows.js';
import {
  FIELD_TYPES,
  INDEX_OPTIONS,
  INDEX_TYPES,
  isKnownTo,
  PART_OPTIONS,
} from '../server/capabilities.js';
import type { Release } from '../server/release.js';
import { Field } from '../server/system-spaces.js';

/**
 * Finds indexes that a server is certain to refuse.
 *
 * Source: `index_def_new_from_tuple()` of the server's `src/box/alter.cc`, `index_def_check()` of
 * `src/box/index_def.c`, `key_def_decode_parts()` of `src/box/key_def.c`, `memtx_space_check_index_def()` of
 * `src/box/memtx_space.c`, `vinyl_space_check_index_def()` of `src/box/vinyl.c`.
 */

/** `BOX_INDEX_MAX`, `BOX_INDEX_PART_MAX` and `BOX_INDEX_FIELD_MAX` of the server's `src/box/schema_def.h`. */
const MAX_INDEXES = 128;
const MAX_PARTS = 255;
const MAX_FIELD = 32_767;
/** `RTREE_MAX_DIMENSIONS` of the server's `src/lib/salad/rtree.h`. */
const MAX_DIMENSION = 20;

/** The facts about a space that its indexes depend on. */
export interface IndexedSpace {
  engine: string;
  isView: boolean;
  format: readonly Value[];
}

/** A decoded part of a key. */
interface Part {
  field: number;
  type: string;
  path: string;
  isNullable: boolean;
  options: Table;
}

function partOf(value: Value): Part {
  const options = tableOf(value);
  const [field, type] = Array.isArray(value) ? value : [options['field'], options['type']];
  return {
    field: Number(field),
    type: String(type ?? 'any').toLowerCase(),
    path: typeof options['path'] === 'string' ? options['path'] : '',
    isNullable: options['is_nullable'] === true,
    options,
  };
}

const COLLATED = new Set(['string', 'str', 'scalar', 'any', '*']);

function partProblem(
  { field, type, path, options }: Part,
  release: Release,
  collations: ReadonlySet<Value>,
): string | undefined {
  if (field > MAX_FIELD) return `field ${field + 1} is not one of the first ${MAX_FIELD + 1}`;
  if (!isKnownTo(release, FIELD_TYPES, type)) return `servers do not know the field type '${type}'`;
  for (const key of Object.keys(options)) {
    if (!isKnownTo(release, PART_OPTIONS, key))
      return `servers do not know the option '${key}' of a part`;
  }
  const collation = options['collation'];
  // 0 means none.
  if (typeof collation === 'number' && collation !== 0) {
    if (!collations.has(collation)) return `collation ${collation} does not exist`;
    if (!COLLATED.has(type)) return `a part of type '${type}' has a collation`;
  }
  if (path === '') return undefined;
  try {
    parsePath(path.replaceAll('[*]', ''));
    return undefined;
  } catch {
    return 'a path is invalid';
  }
}

function rtreeProblem(
  parts: readonly Part[],
  isUnique: boolean,
  options: Table,
): string | undefined {
  if (parts.length !== 1 || parts[0]!.type !== 'array')
    return 'an rtree index must have one part of type array';
  if (isUnique) return 'an rtree index cannot be unique';
  const { dimension, distance } = options;
  if (typeof dimension === 'number' && (dimension < 1 || dimension > MAX_DIMENSION)) {
    return `an rtree index must have 1 to ${MAX_DIMENSION} dimensions`;
  }
  const isMetric = distance === undefined || ['euclid', 'manhattan'].includes(String(distance));
  return isMetric ? undefined : `distance '${distance}' does not exist`;
}

const BITS = new Set(['unsigned', 'num', 'string', 'str', 'varbinary']);
/** Types without an order. */
const UNORDERED = new Set(['any', '*', 'array', 'map', 'interval']);

/** Returns the reason why an index of this type cannot have these parts. */
function typeProblem(
  type: string,
  parts: readonly Part[],
  isUnique: boolean,
  options: Table,
  engine: string,
): string | undefined {
  if (engine === 'vinyl' && type !== 'tree')
    return `vinyl does not support indexes of type '${type}'`;
  const isMany = parts.some(({ path }) => path.includes('[*]'));
  if (type !== 'tree' && isMany) return `an index of type '${type}' cannot be multikey`;
  if (type !== 'tree' && parts.some(({ isNullable }) => isNullable)) {
    return `parts of an index of type '${type}' cannot be nullable`;
  }
  if (type === 'rtree') return rtreeProblem(parts, isUnique, options);
  if (type === 'bitset') {
    if (isUnique) return 'a bitset index cannot be unique';
    const isOne = parts.length === 1 && BITS.has(parts[0]!.type);
    return isOne
      ? undefined
      : 'a bitset index must have one part of type unsigned, string or varbinary';
  }
  if (type === 'hash' && !isUnique) return 'a hash index must be unique';
  const unordered = parts.find((part) => UNORDERED.has(part.type));
  return unordered === undefined
    ? undefined
    : `a part of type '${unordered.type}' cannot be ordered`;
}

function primaryProblem(parts: readonly Part[], options: Table): string | undefined {
  if (options['unique'] === false) return 'a primary index must be unique';
  if (parts.some(({ isNullable }) => isNullable))
    return 'a primary index cannot have nullable parts';
  if (parts.some(({ path }) => path.includes('[*]'))) return 'a primary index cannot be multikey';
  return typeof options['func'] === 'number' && options['func'] > 0
    ? 'a primary index cannot be functional'
    : undefined;
}

/**
 * Checks of the values of options, from `index_opts_decode()` of the server's `src/box/alter.cc`. For some, 0 means
 * the default.
 */
const BOUNDS: Readonly<Record<string, (value: number) => boolean>> = {
  range_size: (size) => size >= 0,
  page_size: (size) => size > 0,
  run_count_per_level: (count) => count > 0,
  run_size_ratio: (ratio) => ratio > 1,
  bloom_fpr: (rate) => rate > 0 && rate <= 1,
};

function optionProblem(options: Table): string | undefined {
  for (const [key, fits] of Object.entries(BOUNDS)) {
    const value = options[key];
    if (typeof value === 'number' && !fits(value)) return `its option '${key}' is ${value}`;
  }
  const { range_size: range, page_size: page } = options;
  const isPage = typeof range === 'number' && typeof page === 'number';
  return isPage && range !== 0 && page > range
    ? "its option 'page_size' is larger than its 'range_size'"
    : undefined;
}

/** Returns the reason why parts contradict each other or the format of their space. */
function partsProblem(
  parts: readonly Part[],
  { format }: IndexedSpace,
  isFunctional: boolean,
): string | undefined {
  const seen = new Set<string>();
  for (const { field, type, path } of parts) {
    const key = `${field} ${path}`;
    if (seen.has(key)) return `field ${field + 1} is used by two parts`;
    seen.add(key);
    const column = format[field];
    if (isFunctional || path !== '' || !isTable(column)) continue;
    const given = String(column['type'] ?? 'any').toLowerCase();
    if (OPPOSED.get(given)?.has(type)) {
      return `field ${field + 1} has the type '${given}', but its part has '${type}'`;
    }
  }
  return undefined;
}

/** Types that have no values in common, by type. */
const OPPOSED: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [
    ['unsigned', 'string boolean varbinary uuid array map'],
    ['integer', 'string boolean varbinary uuid array map'],
    ['number', 'string boolean varbinary uuid array map'],
    ['string', 'unsigned integer number double boolean varbinary decimal uuid array map'],
    ['boolean', 'unsigned integer number double string varbinary decimal uuid array map'],
    ['varbinary', 'unsigned integer number double string boolean decimal uuid array map'],
    ['uuid', 'unsigned integer number double string boolean varbinary decimal array map'],
    ['array', 'unsigned integer number double string boolean varbinary decimal uuid map'],
    ['map', 'unsigned integer number double string boolean varbinary decimal uuid array'],
  ].map(([type, others]) => [type!, new Set(others!.split(' '))]),
);

/**
 * Returns the reason why a server refuses an index; undefined if it does not.
 *
 * @param fields - of its row of `_index`
 * @param release - of the server
 * @param collations - ids that the target will have
 */
export function indexProblem(
  fields: readonly Value[],
  space: IndexedSpace,
  release: Release,
  collations: ReadonlySet<Value>,
): string | undefined {
  const options = tableOf(fields[Field.index.options]);
  const type = String(fields[Field.index.type]).toLowerCase();
  const parts = (fields[Field.index.parts] as Value[]).map(partOf);
  const isPrimary = fields[Field.index.id] === 0;
  const isUnique = options['unique'] !== false;
  const isFunctional = typeof options['func'] === 'number' && options['func'] > 0;
  if (space.isView) return 'a view cannot have indexes';
  if (Number(fields[Field.index.id]) >= MAX_INDEXES)
    return `a space can have at most ${MAX_INDEXES} indexes`;
  if (!isKnownTo(release, INDEX_TYPES, type)) return `servers do not know the index type '${type}'`;
  const option = Object.keys(options).find((key) => !isKnownTo(release, INDEX_OPTIONS, key));
  if (option !== undefined) return `servers do not know the option '${option}' of an index`;
  if (options['unique'] !== undefined && typeof options['unique'] !== 'boolean') {
    return "its option 'unique' is neither true nor false";
  }
  if (parts.length === 0 || parts.length > MAX_PARTS) return `it has ${parts.length} parts`;
  for (const part of parts) {
    const problem = partProblem(part, release, collations);
    if (problem !== undefined) return problem;
  }
  return (
    (isPrimary ? primaryProblem(parts, options) : undefined) ??
    optionProblem(options) ??
    typeProblem(type, parts, isUnique, options, space.engine) ??
    partsProblem(parts, space, isFunctional)
  );
}

const COUNTED = new Set(['unsigned', 'num', 'integer']);

/**
 * Returns the reason why a sequence cannot fill a field.
 *
 * Source: `index_def_check_sequence()` of the server's `src/box/alter.cc`.
 *
 * @param primaryKey - the row of `_index` of the primary index
 */
export function filledProblem(
  primaryKey: readonly Value[],
  field: number,
  path: string,
): string | undefined {
  const parts = (primaryKey[Field.index.parts] as Value[]).map(partOf);
  const part = parts.find((each) => each.field === field && each.path === path);
  if (part === undefined) return 'the field that it fills is not a part of the primary index';
  return COUNTED.has(part.type) ? undefined : `the field that it fills has the type '${part.type}'`;
}
