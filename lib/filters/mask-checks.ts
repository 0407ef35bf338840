import { indexBy } from '../base/collections.js';
import { messageOf, TntarError } from '../base/errors.js';
import { listOf, thereAre } from '../base/report.js';
import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { allForeignKeys } from '../schema/catalog/foreign-keys.js';
import { type Demands, demandsOf } from './mask-place.js';
import type { Mask, Masking } from './mask-spec.js';
import { fixedValue, HASHABLE, hashed, numbersOf } from './mask-values.js';
import { positions, spaceOf } from './row-filter.js';

function usage(message: string, hint: string): TntarError {
  return new TntarError('usage', `mask: ${message}`, { hint });
}

/** An existing field of a space. */
interface Place {
  space: Space;
  fieldNo: number;
}

function placeOf({ space: name, field }: Mask, catalog: Catalog): Place {
  const space = catalog.spaces.find((each) => each.name === name);
  if (space === undefined) {
    throw usage(
      `space '${name}' does not exist`,
      thereAre(catalog.spaces.map((each) => each.name)),
    );
  }
  const names = positions(spaceOf(space));
  const fieldNo = names.get(field);
  if (fieldNo !== undefined) return { space, fieldNo };
  const there =
    names.size === 0 ? 'it has no format' : `its format has ${listOf([...names.keys()])}`;
  throw usage(`space '${name}' has no field '${field}'`, there);
}

/** Refuses a fixed value in a part of a unique index: all rows would have the same value. */
function checkUnique({ parts }: Demands, what: string): void {
  const part = parts.find(({ isUnique }) => isUnique);
  if (part === undefined) return;
  throw usage(
    `${what} is part of the unique index '${part.index}', and all rows would have the same value`,
    'use =hash, which keeps values unique',
  );
}

/** Refuses a mask of a field with parts of an index inside: the mask would replace them by another kind of value. */
function checkWithin({ parts }: Demands, { by }: Pick<Mask, 'by'>, what: string): void {
  const part = parts.find(({ isWithin, isNullable }) => isWithin && !(by === 'null' && isNullable));
  if (part === undefined) return;
  throw usage(
    `${what} has values that the index '${part.index}' reads by a path, and no mask keeps them`,
    'use --filter to change the values in it',
  );
}

/**
 * Refuses a mask of one end of a foreign key: unless both ends are masked in the same way, rows would refer to
 * missing rows.
 */
function checkReferences(
  { space, fieldNo }: Place,
  { by }: Mask,
  masks: readonly Mask[],
  catalog: Catalog,
  what: string,
): void {
  const spaces = indexBy(catalog.spaces, ({ id }) => id);
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
      // A reference that becomes null cannot be broken.
      if ((!isChild && !isParent) || (isChild && by === 'null')) continue;
      if (isHashed(childId, child) && isHashed(parentId, parent)) {
        const [own, its] = [[childId, child] as const, [parentId, parent] as const].map(
          ([id, no]) => numbersOf(demandsOf(catalog, spaces.get(id)!, no).types),
        );
        if (own === its) continue;
        throw usage(
          `${what} is part of the foreign key '${name}', and its two ends hold ${own} and ${its}: their hashes would differ`,
          'use --filter to change both ends',
        );
      }
      throw usage(
        `${what} is part of the foreign key '${name}' from '${spaces.get(childId)?.name}' to '${spaces.get(parentId)?.name}'`,
        'use =hash for both ends',
      );
    }
  }
}

/** Refuses a hash of strings under a collation: equal strings would get different hashes. */
function checkCollations({ collations: [collation] }: Demands, what: string): void {
  if (collation === undefined) return;
  throw usage(
    `${what} has the collation '${collation}', and strings that are equal in it would get different hashes`,
    'use =null, =fixed:VALUE or --filter',
  );
}

/** A mask that is compatible with the definition of its field. */
export interface Prepared {
  change: Masking;
  /** Reasons why a restore may refuse the rows, for people. */
  warnings: string[];
}

/**
 * Checks a mask against the definitions of a backup.
 *
 * @param masks - all masks of this run
 * @throws TntarError of kind `usage`
 */
export function prepare(
  mask: Mask,
  masks: readonly Mask[],
  catalog: Catalog,
  key: Buffer,
): Prepared {
  const place = placeOf(mask, catalog);
  const what = `'${mask.space}.${mask.field}'`;
  checkReferences(place, mask, masks, catalog, what);
  const demands = demandsOf(catalog, place.space, place.fieldNo);
  const { conditions } = demands;
  return {
    change: changeOf(mask, demands, what, key),
    warnings:
      conditions.length === 0
        ? []
        : [
            `mask ${what}: a restore may refuse the masked rows: ${listOf(conditions)} of space '${mask.space}' may read the field`,
          ],
  };
}

function changeOf({ by }: Mask, demands: Demands, what: string, key: Buffer): Masking {
  const { types } = demands;
  const type = [...new Set(types)].join(' and ');
  checkWithin(demands, { by }, what);
  if (by === 'hash') {
    const unfit = types.find((each) => !HASHABLE.has(each));
    if (unfit !== undefined) {
      throw usage(
        `${what} has the type ${unfit}, which cannot hold a hash`,
        'use =null or =fixed:VALUE',
      );
    }
    checkCollations(demands, what);
    const numbers = numbersOf(types);
    return (value) => hashed(value, key, numbers);
  }
  checkUnique(demands, what);
  if (by === 'null') {
    if (demands.isNullable && demands.parts.every(({ isNullable }) => isNullable)) {
      return () => null;
    }
    throw usage(`${what} cannot be null`, 'use =hash or =fixed:VALUE');
  }
  try {
    const value = fixedValue(by.fixed, types);
    return () => value;
  } catch (error) {
    throw usage(
      `${what} has the type ${type}, and ${messageOf(error)}`,
      `write =fixed: and a value of type ${type}`,
    );
  }
}
