import { listOf, quoted } from '../report.js';
import type { Catalog, Space, SystemRow } from './catalog.js';
import { foreignKeysOf } from './foreign-keys.js';
import type { IdMap } from './ids.js';
import { Field, SystemSpace } from './system.js';

/** Rows by the id in one of their fields: there may be thousands of spaces. */
function byField(rows: readonly SystemRow[], field: number): Map<number, SystemRow[]> {
  const found = new Map<number, SystemRow[]>();
  for (const row of rows) {
    const id = Number(row.fields[field]);
    found.set(id, [...(found.get(id) ?? []), row]);
  }
  return found;
}

/** What belongs to the spaces of a catalog, in words, by the id of the space. */
function partsOf(catalog: Catalog): (space: number) => string[] {
  const indexes = byField(catalog.rows(SystemSpace.INDEX), Field.index.spaceId);
  const sequences = byField(catalog.rows(SystemSpace.SPACE_SEQUENCE), Field.spaceSequence.spaceId);
  const spaces = byField(catalog.rows(SystemSpace.SPACE), Field.space.id);
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
  const spaces = new Map(backup.spaces.map((space): [number, Space] => [space.id, space]));
  return backup.rows(SystemSpace.SPACE).flatMap(({ fields }) =>
    foreignKeysOf(fields)
      .filter(({ childId, parentId }) => !isKept(childId) && isKept(parentId))
      .map(({ name, childId, parentId }) => {
        const [child, parent] = [spaces.get(childId)?.name, spaces.get(parentId)?.name];
        return `foreign key ${quoted(name)} of ${quoted(child)} refers to ${quoted(parent)}, which stays: if that lacks an index or rows for it, the restore stops behind the rows`;
      }),
  );
}
