import type { Value } from '../../tuple/codec.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';
import { isTable } from './rows.js';

/** A foreign key between the fields of two spaces. */
export interface ForeignKey {
  name: string;
  childId: number;
  /** The id of the child, if the key refers to its own space. */
  parentId: number;
  /** Pairs of fields, by name or by position from 0. */
  fields: [child: string | number, parent: string | number][];
}

type Reference = string | number;

/** Returns the pairs of fields. Keys of a map are strings, even if they are positions. */
function pairsOf(field: Value | undefined, child: number | undefined): ForeignKey['fields'] {
  if (isTable(field)) {
    return Object.entries(field).map(([own, other]) => [own, other as Reference]);
  }
  return child === undefined || field === undefined ? [] : [[child, field as Reference]];
}

/** Returns the foreign keys in a row of `_space` (2.11 and newer), where 0 is the id of the space itself. */
export function foreignKeysOf(row: SystemRow['fields']): ForeignKey[] {
  const { id, flags, format } = Field.space;
  const childId = Number(row[id]);
  const columns = row[format];
  const places: [Value | undefined, number | undefined][] = [
    [row[flags], undefined],
    ...(Array.isArray(columns) ? columns : []).map((column, i): [Value, number] => [column, i]),
  ];
  return places.flatMap(([place, child]) => {
    const named = isTable(place) ? place['foreign_key'] : undefined;
    return (isTable(named) ? Object.entries(named) : []).map(([name, key]) => {
      const { space = 0, field } = isTable(key) ? key : {};
      const parent = Number(space);
      const fields = pairsOf(field, child);
      return { name, childId, parentId: parent === 0 ? childId : parent, fields };
    });
  });
}

/** Returns the foreign keys of all spaces, those of SQL on 2.6 included. */
export function allForeignKeys(catalog: Catalog): ForeignKey[] {
  const { name, childId, parentId, childColumns, parentColumns } = Field.fkConstraint;
  return [
    ...catalog.rows(SystemSpace.SPACE).flatMap(({ fields }) => foreignKeysOf(fields)),
    ...catalog.rows(SystemSpace.FK_CONSTRAINT).map(({ fields }) => {
      const [own, other] = [fields[childColumns], fields[parentColumns]];
      const pairs =
        Array.isArray(own) && Array.isArray(other) ? own.map((each, i) => [each, other[i]]) : [];
      return {
        name: String(fields[name]),
        childId: Number(fields[childId]),
        parentId: Number(fields[parentId]),
        fields: pairs as ForeignKey['fields'],
      };
    }),
  ];
}

/** Returns the foreign keys by which other spaces refer to one of these spaces, which cannot be dropped then. */
export function holdingKeys(
  keys: readonly ForeignKey[],
  spaces: { has(id: number): boolean },
): ForeignKey[] {
  return keys.filter(({ childId, parentId }) => spaces.has(parentId) && !spaces.has(childId));
}
