import { listOf, quoted } from '../report.js';
import { spaceOf } from './belongings.js';
import type { Catalog, SystemRow } from './catalog.js';
import { foreignKeysOf } from './foreign-keys.js';
import { groupBy } from './groups.js';
import type { IdMap } from './ids.js';
import { Field, SystemSpace } from './system.js';

/** What belongs to the spaces of a catalog, in words, by the id of the space. */
function partsOf(catalog: Catalog): (space: number) => string[] {
  const bySpace = (spaceId: number): Map<number | undefined, SystemRow[]> =>
    groupBy(catalog.rows(spaceId), (row) => spaceOf(spaceId, row));
  const indexes = bySpace(SystemSpace.INDEX);
  const sequences = bySpace(SystemSpace.SPACE_SEQUENCE);
  const spaces = bySpace(SystemSpace.SPACE);
  return (id) => [
    ...(indexes.get(id) ?? []).map(({ fields }) => `index ${quoted(fields[Field.index.name])}`),
    ...(sequences.has(id) ? ['a sequence'] : []),
    ...(spaces.get(id) ?? [])
      .flatMap(({ fields }) => foreignKeysOf(fields))
      .map(({ name }) => `foreign key ${quoted(name)}`),
  ];
}

/**
 * What spaces that stay lack, and the backup's of the same name have, one line for each space: a restore
 * that stopped half-way may have made them.
 *
 * @param isKept - asked for each space of the backup
 */
export function lackingParts(
  backup: Catalog,
  target: Catalog,
  ids: IdMap,
  isKept: (id: number) => boolean,
): string[] {
  const [wanted, there] = [partsOf(backup), partsOf(target)];
  return backup.spaces
    .filter(({ id }) => isKept(id))
    .flatMap(({ id, name }) => {
      const has = new Set(there(ids.find('space', id) ?? -1));
      const lacking = wanted(id).filter((part) => !has.has(part));
      return lacking.length === 0
        ? []
        : [`space ${quoted(name)} stays, and lacks what the backup's has: ${listOf(lacking)}`];
    });
}

/** Foreign keys of spaces that are made to spaces that stay: nobody knows whether their rows serve them. */
export function keysToKept(backup: Catalog, isKept: (id: number) => boolean): string[] {
  const names = new Map(backup.spaces.map(({ id, name }) => [id, name]));
  return backup.rows(SystemSpace.SPACE).flatMap(({ fields }) =>
    foreignKeysOf(fields)
      .filter(({ childId, parentId }) => !isKept(childId) && isKept(parentId))
      .map(({ name, childId, parentId }) => {
        const [child, parent] = [quoted(names.get(childId)), quoted(names.get(parentId))];
        return `foreign key ${quoted(name)} of ${child} refers to ${parent}, which stays: if that lacks an index or rows for it, the restore stops behind the rows`;
      }),
  );
}
