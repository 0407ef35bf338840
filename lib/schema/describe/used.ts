import { counted } from '../../base/report.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { DEFINITIONS, type Kind } from '../catalog/id-map.js';
import { Field } from '../server/system-spaces.js';
import { describeThing } from './describe.js';

/** Something that the target has already, the same as in the backup: it is used as it is. */
export interface Used {
  /** `user`, `role`, `function` or `collation`. */
  type: string;
  /** e.g. `user 'ann'` */
  what: string;
}

/** Kinds of which the target's own is used only if it is the same; they hold no data. */
const KINDS: readonly Kind[] = ['function', 'user', 'collation'];

/**
 * Lists what is used as it is.
 *
 * @param present - rows of the backup that the target has already
 */
export function usedOf(backup: Catalog, present: ReadonlySet<SystemRow>): Used[] {
  const typeOf = (kind: Kind, { fields }: SystemRow): string =>
    kind === 'user' ? String(fields[Field.user.type]) : kind;
  return KINDS.flatMap((kind) =>
    backup
      .userRows(DEFINITIONS[kind].spaceId)
      .filter((row) => present.has(row))
      .map((row) => ({ type: typeOf(kind, row), what: describeThing(kind, row) })),
  );
}

/**
 * Counts what is used by its type.
 *
 * @returns nothing where nothing is used
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
