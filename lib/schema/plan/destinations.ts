import { indexBy } from '../../base/collections.js';
import { type Catalog, rowlessReason } from '../catalog/catalog.js';
import type { IdMap } from '../catalog/id-map.js';
import type { OnConflict, PlanOptions } from './options.js';

/** The space of the target that rows are written to. */
export interface Destination {
  /** The id of the space on the target. */
  id: number;
  name: string;
  /** The name of the target's primary index; undefined if the restore creates it. */
  primaryIndex?: string;
  onConflict: OnConflict;
  /** True if existing rows are kept. */
  keepsRows: boolean;
}

/** Returns the destinations of the spaces of the backup that get rows, by the backup's id. */
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
