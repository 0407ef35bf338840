import { counted } from '../../base/report.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { DEFINITIONS, type Kind } from '../catalog/id-map.js';
import { Field } from '../server/system-spaces.js';
import { describeObject } from './describe.js';

/** An object that already exists on the target with the same definition. The restore uses it. */
export interface Used {
  /** `user`, `role`, `function` or `collation`. */
  type: string;
  /** e.g. `user 'ann'` */
  what: string;
}

/** Kinds whose objects are used only if both definitions are the same. They hold no data. */
const KINDS: readonly Kind[] = ['function', 'user', 'collation'];

/**
 * Lists the objects that the restore uses.
 *
 * @param present - rows of the backup that the target already has
 */
export function usedOf(backup: Catalog, present: ReadonlySet<SystemRow>): Used[] {
  const typeOf = (kind: Kind, { fields }: SystemRow): string =>
    kind === 'user' ? String(fields[Field.user.type]) : kind;
  return KINDS.flatMap((kind) =>
    backup
      .userRows(DEFINITIONS[kind].spaceId)
      .filter((row) => present.has(row))
      .map((row) => ({ type: typeOf(kind, row), what: describeObject(kind, row) })),
  );
}

/**
 * Counts the objects that the restore uses, by type.
 *
 * @returns an empty list if there are none
 * @example
 * showUsed(plan.used); // ['existing objects are used: 15 functions, 1 user']
 */
export function showUsed(used: readonly Used[]): string[] {
  const counts = new Map<string, number>();
  for (const { type } of used) counts.set(type, (counts.get(type) ?? 0) + 1);
  if (counts.size === 0) return [];
  return [
    `existing objects are used: ${[...counts].map(([type, count]) => counted(count, type)).join(', ')}`,
  ];
}
