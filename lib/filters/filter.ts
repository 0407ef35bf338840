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

/** The space that a filter gets a row of. */
export interface FilterSpace {
  /** Of the backup; up to 511 for spaces of the system. */
  id: number;
  name: string;
  /** e.g. `memtx` */
  engine: string;
  /** Names and types of the first fields; a tuple may have more. */
  format: readonly FieldFormat[];
  /** True for `_space`, `_index`, `_user`, …: their rows are what is defined. */
  isSystem: boolean;
}

/**
 * Values of types that JavaScript has no word for, tuples, and the ids of system spaces: a filter gets
 * them, for one in a file cannot import this package where it is installed for all.
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

/** What a filter gives back: a tuple, or nothing where the row is to be skipped. */
export type FilterResult = Tuple | null | undefined;

/**
 * Called for each row of each space, the system's first. It may be asynchronous, or a generator of any
 * number of tuples.
 *
 * @example
 * const onlyAdults: Filter = (space, tuple) =>
 *   space.name === 'users' && Number(tuple.get('age')) < 18 ? null : tuple;
 */
export type Filter = (
  space: FilterSpace,
  tuple: Tuple,
  tools: typeof TOOLS,
) =>
  | FilterResult
  | Promise<FilterResult>
  | Iterator<FilterResult, unknown>
  | AsyncIterator<FilterResult, unknown>;

function fieldFormat(field: Value): FieldFormat {
  if (Array.isArray(field)) return { name: String(field[0]), type: String(field[1] ?? 'any') };
  const { name = '', type = 'any' } = isTable(field) ? field : {};
  return { name: String(name), type: String(type) };
}

/** A user's space as a filter sees it. */
export function spaceOf({ id, name, engine, format }: Space): FilterSpace {
  return { id, name, engine, format: format.map(fieldFormat), isSystem: false };
}

/** A system space as a filter sees it. */
export function systemSpaceOf(id: number): FilterSpace {
  const name = SYSTEM_SPACE_NAMES.get(id) ?? String(id);
  return { id, name, engine: 'memtx', format: systemFormat(id), isSystem: true };
}

/** Positions by name; of a name that is there twice the first counts, as in the server. */
export function positions({ format }: FilterSpace): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const [i, { name }] of format.entries()) if (!names.has(name)) names.set(name, i);
  return names;
}
