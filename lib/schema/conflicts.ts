import type { Catalog } from './catalog.js';
import { Field, SystemSpace } from './system.js';

/** System spaces whose rows have an id and a name, each taken once. */
const NAMED = [
  { spaceId: SystemSpace.SPACE, what: 'space', id: Field.space.id, name: Field.space.name },
  { spaceId: SystemSpace.USER, what: 'user or role', id: Field.user.id, name: Field.user.name },
  { spaceId: SystemSpace.FUNC, what: 'function', id: Field.func.id, name: Field.func.name },
  {
    spaceId: SystemSpace.SEQUENCE,
    what: 'sequence',
    id: Field.sequence.id,
    name: Field.sequence.name,
  },
  {
    spaceId: SystemSpace.COLLATION,
    what: 'collation',
    id: Field.collation.id,
    name: Field.collation.name,
  },
] as const;

/**
 * What the target already has under a name or an id that the backup needs.
 *
 * @returns one line each, empty where the backup fits; a row that is on both sides to the byte is no
 * conflict, except for a space, whose rows would mix
 */
export function findConflicts(backup: Catalog, target: Catalog): string[] {
  const conflicts: string[] = [];
  for (const { spaceId, what, id, name } of NAMED) {
    const byId = new Map(target.rows(spaceId).map((row) => [row.fields[id], row]));
    const byName = new Map(target.rows(spaceId).map((row) => [row.fields[name], row]));
    for (const row of backup.userRows(spaceId)) {
      const namesake = byName.get(row.fields[name]);
      const twin = byId.get(row.fields[id]);
      const shown = `${what} '${row.fields[name]}'`;
      if (spaceId !== SystemSpace.SPACE && twin?.raw.equals(row.raw)) continue;
      if (namesake !== undefined) conflicts.push(`${shown} exists`);
      else if (twin !== undefined) {
        conflicts.push(`${shown}: its id ${row.fields[id]} belongs to '${twin.fields[name]}'`);
      }
    }
  }
  return conflicts;
}
