import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { rowsOfSpaces, type SpaceRows } from '../schema/catalog/columns.js';
import { arrayOf, isTable, type Table, tableOf } from '../schema/catalog/rows.js';
import { Names } from '../schema/describe/name-lookup.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import type { Value } from '../tuple/codec.js';
import { spaceOf } from './row-filter.js';

/** Collations that compare bytes: `none` and `binary` of the server's `src/box/coll_id_def.h`. */
const BY_BYTES: readonly Value[] = [0, 3];

/** A part of an index that is the field or inside of it. */
interface PartOfField {
  /** The name of the index. */
  index: string;
  isUnique: boolean;
  isNullable: boolean;
  /** True if the part is a value inside of the field, by a path. */
  isWithin: boolean;
}

/** The requirements of a space for the values of one field. */
export interface Demands {
  /** The types in lower case: in the format, and in each part of an index that is the whole field. */
  types: string[];
  isNullable: boolean;
  parts: PartOfField[];
  /** Names of collations in which different strings may be equal. */
  collations: string[];
  /** Other conditions that may refuse a new value, e.g. `the check 'adult'`. */
  conditions: string[];
}

/** Returns the parts of a key in `_index`. In spaces that 1.x created, a part is `[field, type]`. */
function partsIn(parts: Value | undefined): Table[] {
  return arrayOf(parts).flatMap((part): Table[] => {
    if (Array.isArray(part)) return [{ field: part[0] ?? null, type: part[1] ?? 'any' }];
    return isTable(part) ? [part] : [];
  });
}

/** Old names of types, from `field_type_by_name()` of the server's `src/box/field_def.c`. */
const OLD_TYPES: ReadonlyMap<string, string> = new Map([
  ['num', 'unsigned'],
  ['str', 'string'],
  ['*', 'any'],
]);

function typeOf(type: Value | undefined): string {
  const name = typeof type === 'string' ? type.toLowerCase() : 'any';
  return OLD_TYPES.get(name) ?? name;
}
const quotedNames = (what: string, value: Value | undefined): string[] =>
  isTable(value) ? Object.keys(value).map((name) => `${what} '${name}'`) : [];

function conditionsOf(catalog: Catalog, id: number, rows: SpaceRows, field: Value): string[] {
  const flags = rows.fields[Field.space.flags];
  const checks = catalog
    .rows(SystemSpace.CK_CONSTRAINT)
    .filter(({ fields }) => Number(fields[Field.ckConstraint.spaceId]) === id)
    .map(({ fields }) => `the check '${fields[Field.ckConstraint.name]}'`);
  return [
    ...(isTable(field) ? quotedNames('the constraint', field['constraint']) : []),
    ...(isTable(flags) ? quotedNames('the constraint', flags['constraint']) : []),
    ...checks,
  ];
}

/**
 * Returns the requirements of a space for the values of one field.
 *
 * @param fieldNo - from 0
 */
export function demandsOf(catalog: Catalog, space: Space, fieldNo: number): Demands {
  const rows = rowsOfSpaces(catalog).get(space.id)!;
  const names = new Names(catalog);
  const field = space.format[fieldNo] ?? null;
  const demands: Demands = {
    types: [typeOf(spaceOf(space).format[fieldNo]?.type)],
    isNullable: isTable(field) && field['is_nullable'] === true,
    parts: [],
    collations: [],
    conditions: conditionsOf(catalog, space.id, rows, field),
  };
  const compareBy = (id: Value | undefined): void => {
    if (id === undefined || id === null || BY_BYTES.includes(id)) return;
    demands.collations.push(names.collation(id).collation ?? String(id));
  };
  if (isTable(field)) compareBy(field['collation']);
  for (const { fields } of rows.indexes) {
    const index = String(fields[Field.index.name]);
    const given = tableOf(fields[Field.index.options]);
    if (given['func'] !== undefined) {
      demands.conditions.push(`the functional index '${index}'`);
      continue;
    }
    const isUnique = Number(fields[Field.index.id]) === 0 || given['unique'] !== false;
    for (const part of partsIn(fields[Field.index.parts])) {
      if (Number(part['field']) !== fieldNo) continue;
      const isNullable = part['is_nullable'] === true;
      const isWithin = part['path'] !== undefined;
      demands.parts.push({ index, isUnique, isNullable, isWithin });
      if (isWithin) continue;
      demands.types.push(typeOf(part['type']));
      compareBy(part['collation']);
    }
  }
  return demands;
}
