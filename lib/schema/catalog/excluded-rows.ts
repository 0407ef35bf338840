import type { ManifestSpace } from '../../backup/manifest.js';
import { quoted } from '../../base/report.js';
import { type Catalog, rowlessReason, spaceNames } from './catalog.js';
import { allForeignKeys, type ForeignKey } from './foreign-keys.js';

/** Returns the ids of the spaces whose rows were left out on purpose. */
export function excludedIn(spaces: readonly ManifestSpace[]): ReadonlySet<number> {
  return new Set(spaces.filter(({ rowsExcluded }) => rowsExcluded).map(({ id }) => id));
}

/** A foreign key by which rows that are restored refer to rows that are left out. */
interface KeyToExcluded extends ForeignKey {
  /** Names of both spaces, in quotes. */
  child: string;
  parent: string;
  /** e.g. `foreign key 'of_user' of 'orders' refers to 'users'` */
  what: string;
}

/**
 * Returns the foreign keys by which rows of other spaces refer to rows that are left out.
 *
 * @param excluded - ids of the spaces whose rows are left out
 * @param keys - the foreign keys to look at; by default all keys of the catalog
 */
export function keysToExcluded(
  catalog: Catalog,
  excluded: ReadonlySet<number>,
  keys = allForeignKeys(catalog),
): KeyToExcluded[] {
  const names = spaceNames(catalog.spaces);
  const filled = new Set(
    catalog.spaces
      .filter((space) => !excluded.has(space.id) && rowlessReason(space) === undefined)
      .map(({ id }) => id),
  );
  return keys
    .filter(({ childId, parentId }) => excluded.has(parentId) && filled.has(childId))
    .map((key) => {
      const [child, parent] = [quoted(names.get(key.childId)), quoted(names.get(key.parentId))];
      const what = `foreign key ${quoted(key.name)} of ${child} refers to ${parent}`;
      return { ...key, child, parent, what };
    });
}
