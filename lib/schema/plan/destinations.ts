import { indexBy } from '../../base/collections.js';
import { type Catalog, rowlessReason } from '../catalog/catalog.js';
import type { IdMap } from '../catalog/id-map.js';
import type { OnConflict, PlanOptions } from './options.js';

/** Where the rows of a space go. */
export interface Destination {
  /** The target's id of the space. */
  id: number;
  name: string;
  /** Name of the target's primary index; undefined where the restore makes it. */
  primaryIndex?: string;
  onConflict: OnConflict;
  /** Rows that are there stay, beside those that come. */
  keepsRows: boolean;
}

/** The spaces of the backup that can have rows, and get them, by the backup's id. */
export function destinationsOf(
  backup: Catalog,
  target: Catalog,
  ids: IdMap,
  { only, existing = 'error', onConflict = 'error', excluded }: PlanOptions,
): ReadonlyMap<number, Destination> {
  const destinations = new Map<number, Destination>();
  if (only === 'schema') return destinations;
  const standing = indexBy(target.spaces, ({ id }) => id);
  for (const space of backup.spaces) {
    const id = ids.find('space', space.id);
    if (rowlessReason(space) !== undefined || id === undefined) continue;
    const there = standing.get(id);
    if (there !== undefined && (existing === 'skip' || excluded?.has(space.id))) continue;
    const isReplaced = there !== undefined && existing === 'replace';
    destinations.set(space.id, {
      id,
      name: space.name,
      ...(there?.primaryKey && { primaryIndex: there.primaryKey.name }),
      onConflict: isReplaced ? 'replace' : onConflict,
      keepsRows: isReplaced || only === 'data',
    });
  }
  return destinations;
}
