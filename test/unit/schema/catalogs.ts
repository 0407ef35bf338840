import { Catalog } from '../../../lib/schema/catalog/catalog.js';
import type { Step } from '../../../lib/schema/plan/step.js';
import { decode, type Value } from '../../../lib/tuple/codec.js';
import { type Plain, pack } from '../../support/msgpack.js';

/** Rows of system spaces, by space id. */
export type SystemRows = Readonly<Record<number, readonly (readonly Plain[])[]>>;

/** Returns a catalog of the given rows. */
export function catalogOf(rows: SystemRows): Catalog {
  const catalog = new Catalog();
  for (const [spaceId, list] of Object.entries(rows)) {
    for (const row of list) catalog.add(Number(spaceId), pack(row));
  }
  return catalog;
}

/** Returns the values that a step writes; for a step that removes a row, its key. */
export function valuesOf(step: Step): Value[] {
  if (step.verb === 'truncate') return [step.emptied];
  return decode(step.verb === 'delete' ? step.key : step.row) as Value[];
}

/** The rows of `_user` on every server. */
export const BUILTIN_USERS: readonly Plain[][] = [
  [0, 1, 'guest', 'user', {}],
  [1, 1, 'admin', 'user', {}],
  [2, 1, 'public', 'role', {}],
  [3, 1, 'replication', 'role', {}],
  [31, 1, 'super', 'role', {}],
];

/** A server without objects of users. */
export const EMPTY: SystemRows = { 304: BUILTIN_USERS };

/** Returns a row of `_space`. */
export function spaceRow(
  id: number,
  name: string,
  given: { engine?: string; flags?: Plain; format?: Plain } = {},
): Plain[] {
  return [id, 1, name, given.engine ?? 'memtx', 0, given.flags ?? {}, given.format ?? []];
}

/** Returns a row of `_index`. */
export function indexRow(
  spaceId: number,
  id: number,
  name: string,
  given: { type?: string; options?: Plain; parts?: Plain } = {},
): Plain[] {
  const parts = given.parts ?? [{ field: 0, type: 'unsigned' }];
  return [spaceId, id, name, given.type ?? 'tree', given.options ?? { unique: true }, parts];
}

/** Returns a row of `_space` with the fields of a system space. */
export function formatRow(id: number, name: string, ...fields: [string, string][]): Plain[] {
  const format = fields.map(([field, type]) => ({ name: field, type }));
  return spaceRow(id, name, { format });
}
