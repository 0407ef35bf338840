import { quoted } from '../../base/report.js';
import { type Catalog, spaceNames } from '../catalog/catalog.js';
import { keysToExcluded } from '../catalog/excluded-rows.js';
import { type ForeignKey, foreignKeysOf } from '../catalog/foreign-keys.js';
import type { IdMap } from '../catalog/id-map.js';
import { SystemSpace } from '../server/system-spaces.js';
import type { PlanOptions } from './options.js';

/** Returns the foreign keys that the server checks on every write (2.11 and newer). */
const checkedKeys = (catalog: Catalog): ForeignKey[] =>
  catalog.rows(SystemSpace.SPACE).flatMap(({ fields }) => foreignKeysOf(fields));

/** The effects of a restore on spaces whose rows are left out, one line each. */
export interface ExcludedPlan {
  /** Rows that are left out. */
  omissions: string[];
  /** Rows of the target that a drop removes, and that are not replaced. */
  losses: string[];
  /** Foreign keys that may refuse some rows, or that are not checked. */
  notes: string[];
  /** Foreign keys that the server would refuse to create after the rows are loaded. */
  brokenKeys: string[];
}

/**
 * Plans the spaces whose rows are left out, and the foreign keys to them.
 *
 * @param backup - converted for the version of the target
 * @param target - all rows of the target's system spaces
 * @param remaining - the same rows without those that the restore drops
 */
export function planExcluded(
  backup: Catalog,
  target: Catalog,
  remaining: Catalog,
  ids: IdMap,
  { excluded = new Set(), only }: PlanOptions,
): ExcludedPlan {
  if (only === 'schema') return { omissions: [], losses: [], notes: [], brokenKeys: [] };
  const staying = spaceNames(remaining.spaces);
  const targetId = (id: number): number => ids.find('space', id) ?? -1;
  const stays = (id: number): boolean => staying.has(targetId(id));
  const spaces = backup.spaces.filter(({ id }) => excluded.has(id));
  const there = new Set(spaceNames(target.spaces).values());
  const isDropped = ({ id, name }: { id: number; name: string }): boolean =>
    there.has(name) && !stays(id);

  const isMade = ({ childId, parentId }: ForeignKey): boolean =>
    only !== 'data' && !stays(childId) && !stays(parentId);
  const checked = keysToExcluded(backup, excluded, checkedKeys(backup)).filter(isMade);
  const unchecked = keysToExcluded(backup, excluded)
    .filter(isMade)
    .filter(({ what }) => checked.every((key) => key.what !== what));
  // Rows that are loaded into a space of the target must satisfy the constraints of that space.
  const kept = new Set(spaces.map(({ id }) => targetId(id)));
  const filled = new Set(
    backup.spaces.filter(({ id }) => !excluded.has(id)).map(({ id }) => targetId(id)),
  );
  const met = keysToExcluded(remaining, kept, checkedKeys(remaining)).filter(({ childId }) =>
    filled.has(childId),
  );
  return {
    omissions: spaces.map(({ id, name }) => {
      const line = `rows of space ${quoted(name)}: they are excluded`;
      return stays(id) ? `${line}; the rows on the target are kept` : line;
    }),
    losses: spaces
      .filter(isDropped)
      .map(
        ({ name }) =>
          `space ${quoted(name)} is recreated without rows, because the rows of the backup are excluded`,
      ),
    notes: [
      ...unchecked.map(
        ({ what, parent }) =>
          `${what}; rows of ${parent} are excluded, so SQL may find references to missing rows`,
      ),
      ...met.map(
        ({ what, child, parent }) =>
          `some rows may be refused by ${child}: ${what}, and rows of ${parent} are excluded`,
      ),
    ],
    brokenKeys: checked.map(({ what }) => what),
  };
}
