import { messageOf, TntarError } from '../errors.js';
import { listOf, thereAre } from '../report.js';
import type { Catalog, Space } from '../schema/catalog.js';
import { columnsOf, rowsOfSpaces } from '../schema/columns.js';
import { allForeignKeys } from '../schema/foreign-keys.js';
import type { ExactValue } from '../tuple/exact.js';
import { positions, spaceOf } from './filter.js';
import type { Mask } from './mask.js';
import { fixedValue, HASHABLE, hashed } from './mask-values.js';

/** What a mask does to the value of its field. */
export type Masking = (value: ExactValue) => ExactValue;

function usage(message: string, hint: string): TntarError {
  return new TntarError('usage', `mask: ${message}`, { hint });
}

/** A field of a space that is there. */
interface Place {
  space: Space;
  fieldNo: number;
}

function placeOf({ space: name, field }: Mask, catalog: Catalog): Place {
  const space = catalog.spaces.find((each) => each.name === name);
  if (space === undefined) {
    throw usage(`there is no space '${name}'`, thereAre(catalog.spaces.map((each) => each.name)));
  }
  const names = positions(spaceOf(space));
  const fieldNo = names.get(field);
  if (fieldNo !== undefined) return { space, fieldNo };
  const there =
    names.size === 0 ? 'it has no format' : `its format has ${listOf([...names.keys()])}`;
  throw usage(`space '${name}' has no field '${field}'`, there);
}

/** All rows would have one value in a part of a key that is to be unique. */
function checkUnique({ space, fieldNo }: Place, catalog: Catalog, what: string): void {
  const index = catalog
    .indexesOf(space.id)
    .find(({ isUnique, parts }) => isUnique && parts.some((part) => part.fieldNo === fieldNo));
  if (index === undefined) return;
  throw usage(
    `${what} is part of the unique index '${index.name}', and all rows would be alike`,
    'a hash keeps it unique: use =hash',
  );
}

/** The other end of a foreign key has to be masked alike, or rows would refer to nothing. */
function checkReferences(
  { space, fieldNo }: Place,
  { by }: Mask,
  masks: readonly Mask[],
  catalog: Catalog,
  what: string,
): void {
  const spaces = new Map(catalog.spaces.map((each) => [each.id, each]));
  const at = (id: number, field: string | number): number => {
    const known = spaces.get(id);
    const named = known === undefined ? undefined : positions(spaceOf(known)).get(String(field));
    return named ?? Number(field);
  };
  const isHashed = (id: number, no: number): boolean =>
    masks.some((mask) => {
      const other = spaces.get(id);
      return mask.by === 'hash' && mask.space === other?.name && at(id, mask.field) === no;
    });
  for (const { name, childId, parentId, fields } of allForeignKeys(catalog)) {
    for (const [own, other] of fields) {
      const [child, parent] = [at(childId, own), at(parentId, other)];
      const isChild = childId === space.id && child === fieldNo;
      const isParent = parentId === space.id && parent === fieldNo;
      // who refers to nothing breaks nothing
      if ((!isChild && !isParent) || (isChild && by === 'null')) continue;
      if (isHashed(childId, child) && isHashed(parentId, parent)) continue;
      throw usage(
        `${what} is part of the foreign key '${name}' from '${spaces.get(childId)?.name}' to '${spaces.get(parentId)?.name}'`,
        'use =hash for both ends of it',
      );
    }
  }
}

/**
 * Finds what a mask would break before it does.
 *
 * @param masks - all of this run
 * @throws TntarError of kind `usage`
 */
export function prepare(
  mask: Mask,
  masks: readonly Mask[],
  catalog: Catalog,
  key: Buffer,
): Masking {
  const { by } = mask;
  const place = placeOf(mask, catalog);
  const what = `'${mask.space}.${mask.field}'`;
  checkReferences(place, mask, masks, catalog, what);
  const type = spaceOf(place.space).format[place.fieldNo]!.type.toLowerCase();
  if (by === 'hash') {
    if (HASHABLE.has(type)) return (value) => hashed(value, key);
    throw usage(`${what} is ${type}, which holds no hash`, 'use =null or =fixed:VALUE');
  }
  checkUnique(place, catalog, what);
  if (by === 'null') {
    const column = columnsOf(rowsOfSpaces(catalog).get(place.space.id)!).get(place.fieldNo);
    if (column?.isNullable === true) return () => null;
    throw usage(`${what} cannot be null`, 'use =hash or =fixed:VALUE');
  }
  try {
    const value = fixedValue(by.fixed, type);
    return () => value;
  } catch (error) {
    throw usage(
      `${what} is ${type}, and ${messageOf(error)}`,
      `write =fixed: and a value of type ${type}`,
    );
  }
}
