import type { Catalog, SystemRow } from './catalog.js';
import { isTable } from './rows.js';
import { Field, SystemSpace } from './system.js';

/** A foreign key as far as its spaces are concerned. */
export interface ForeignKey {
  name: string;
  childId: number;
  /** The child itself, where it refers to its own rows. */
  parentId: number;
}

/** Those of a row of `_space` (2.11 and newer); 0 stands there for the space itself. */
export function foreignKeysOf(row: SystemRow['fields']): ForeignKey[] {
  const { id, flags, format } = Field.space;
  const childId = Number(row[id]);
  const columns = row[format];
  const places = [row[flags], ...(Array.isArray(columns) ? columns : [])];
  const keys = places.flatMap((place) => {
    const named = isTable(place) ? place['foreign_key'] : undefined;
    return isTable(named) ? Object.entries(named) : [];
  });
  return keys.map(([name, key]) => {
    const parent = isTable(key) ? Number(key['space'] ?? 0) : 0;
    return { name, childId, parentId: parent === 0 ? childId : parent };
  });
}

/** Those of all spaces, also of SQL on 2.6. */
export function allForeignKeys(catalog: Catalog): ForeignKey[] {
  const { name, childId, parentId } = Field.fkConstraint;
  return [
    ...catalog.rows(SystemSpace.SPACE).flatMap(({ fields }) => foreignKeysOf(fields)),
    ...catalog.rows(SystemSpace.FK_CONSTRAINT).map(({ fields }) => ({
      name: String(fields[name]),
      childId: Number(fields[childId]),
      parentId: Number(fields[parentId]),
    })),
  ];
}
