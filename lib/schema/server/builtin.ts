import type { Value } from '../../tuple/codec.js';
import { LUA_FUNCTIONS, type ShippedGrants } from './builtin-grants.js';
import { isOlder, type SchemaVersion } from './release.js';
import { BuiltinUser, Field, isBuiltinUser, SYSTEM_ID_MAX, SystemSpace } from './system-spaces.js';

/**
 * Tells the rows that a server ships from those that a user made, for schemas from 1.7.5 to 3.x, as empty
 * instances of 1.10.15, 2.6.0, 2.11.5 and 3.3.0 have them.
 */

/** Ids 0 to 276 are `none`, `unicode`, `unicode_ci`, `binary` and the 273 of ICU's languages. */
export const LAST_SHIPPED_COLLATION = 276;

/**
 * Rows of `_schema` that are about the instance; all others are notes of applications, such as the marks
 * of `box.once`.
 *
 * Source: `on_replace_dd_schema()` in `src/box/alter.cc`, and `src/box/lua/upgrade.lua`.
 */
const INSTANCE_KEYS: readonly Value[] = [
  'version',
  'max_id',
  'cluster',
  'replicaset_uuid',
  'replicaset_name',
  'cluster_name',
  'bootstrap_leader_uuid',
];

/** The last id of the collations that a database ships: ids after it belong to users. */
const SHIPPED_COLLATIONS: readonly (readonly [since: SchemaVersion, last: number])[] = [
  [[2, 1, 3], LAST_SHIPPED_COLLATION],
  [[2, 1, 0], 3],
  [[1, 7, 6], 2],
];

/** @param schema - version of the database; undefined stands for any that ships all of them */
export function isShippedCollation(id: number, schema?: SchemaVersion): boolean {
  if (schema === undefined) return id <= LAST_SHIPPED_COLLATION;
  const [, last = 0] = SHIPPED_COLLATIONS.find(([since]) => !isOlder(schema, since)) ?? [];
  return id <= last;
}

export function isShippedFunction(fields: Value[]): boolean {
  return (
    fields[Field.func.language] === 'SQL_BUILTIN' ||
    (Object.hasOwn(LUA_FUNCTIONS, String(fields[Field.func.name])) &&
      fields[Field.func.owner] === BuiltinUser.ADMIN)
  );
}

/**
 * @param schema - version of the database; undefined where nobody noted it
 * @returns true where the row is not a user's
 */
export function isShipped(
  spaceId: number,
  fields: Value[],
  grants: ShippedGrants,
  schema: SchemaVersion | undefined,
): boolean {
  switch (spaceId) {
    case SystemSpace.SCHEMA:
      return INSTANCE_KEYS.includes(fields[Field.schema.key]!);
    case SystemSpace.COLLATION:
      return isShippedCollation(Number(fields[Field.collation.id]), schema);
    case SystemSpace.SPACE:
    case SystemSpace.INDEX:
      return Number(fields[0]) <= SYSTEM_ID_MAX;
    case SystemSpace.FUNC:
      return isShippedFunction(fields);
    case SystemSpace.USER:
      return isBuiltinUser(Number(fields[Field.user.id]));
    case SystemSpace.PRIV:
      return grants.has(fields);
    default:
      return false;
  }
}
