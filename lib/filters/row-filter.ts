import type { Space } from '../schema/catalog/catalog.js';
import { isTable } from '../schema/catalog/rows.js';
import { type FieldFormat, systemFormat } from '../schema/server/formats.js';
import { SYSTEM_SPACE_NAMES, SystemSpace } from '../schema/server/system-spaces.js';
import type { Value } from '../tuple/codec.js';
import { Datetime } from '../tuple/datetime.js';
import { Decimal } from '../tuple/decimal.js';
import { Double, Float, Opaque, Raw } from '../tuple/exact-types.js';
import { Interval } from '../tuple/interval.js';
import { Tuple } from '../tuple/tuple.js';
import { Uuid } from '../tuple/uuid.js';

/** The space of a row that a filter receives. */
export interface FilterSpace {
  /** The id in the backup; up to 511 for system spaces. */
  id: number;
  name: string;
  /** The engine, e.g. `memtx`. */
  engine: string;
  /** Names and types of the first fields; a tuple may have more. */
  format: readonly FieldFormat[];
  /** True for `_space`, `_index`, `_user`, …, whose rows are definitions. */
  isSystem: boolean;
}

/**
 * Classes for values of types that JavaScript does not have and for tuples, and the ids of system spaces. A filter
 * receives them, because a filter in a file cannot import this package if it is installed globally.
 */
export const TOOLS = {
  Datetime,
  Decimal,
  Double,
  Float,
  Interval,
  Opaque,
  Raw,
  SystemSpace,
  Tuple,
  Uuid,
} as const;

/** The result of a filter: a tuple, or nothing to skip the row. */
export type RowFilterResult = Tuple | null | undefined;

/**
 * Called for each row of each space, system spaces first. It may be asynchronous, or a generator of any number of
 * tuples.
 *
 * @example
 * const onlyAdults: RowFilter = (space, tuple) =>
 *   space.name === 'users' && Number(tuple.get('age')) < 18 ? null : tuple;
 */
export type RowFilter = (
  space: FilterSpace,
  tuple: Tuple,
  tools: typeof TOOLS,
) =>
  | RowFilterResult
  | Promise<RowFilterResult>
  | Iterator<RowFilterResult, unknown>
  | AsyncIterator<RowFilterResult, unknown>;

function fieldFormat(field: Value): FieldFormat {
  if (Array.isArray(field)) return { name: String(field[0]), type: String(field[1] ?? 'any') };
  const { name = '', type = 'any' } = isTable(field) ? field : {};
  return { name: String(name), type: String(type) };
}

/** Returns a user's space in the form for a filter. */
export function spaceOf({ id, name, engine, format }: Space): FilterSpace {
  return { id, name, engine, format: format.map(fieldFormat), isSystem: false };
}

/** Returns a system space in the form for a filter. */
export function systemSpaceOf(id: number): FilterSpace {
  const name = SYSTEM_SPACE_NAMES.get(id) ?? String(id);
  return { id, name, engine: 'memtx', format: systemFormat(id), isSystem: true };
}

/**
 * Returns the positions of fields by name. Of two fields with the same name, the first one counts, as in the server.
 */
export function positions({ format }: FilterSpace): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const [i, { name }] of format.entries()) if (!names.has(name)) names.set(name, i);
  return names;
}
