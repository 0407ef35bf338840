import type { Value } from '../../tuple/codec.js';
import { LUA_FUNCTIONS, type ShippedGrants } from './builtin-grants.js';
import { isOlder, type SchemaVersion } from './release.js';
import { BuiltinUser, Field, isBuiltinUser, SYSTEM_ID_MAX, SystemSpace } from './system-spaces.js';

/**
 * Distinguishes built-in rows from rows of users, for schemas from 1.7.5 to 3.x, as in empty instances of 1.10.15,
 * 2.6.0, 2.11.5 and 3.3.0.
 */

/**
 * The last id of a built-in collation. Ids 0 to 276 are `none`, `unicode`, `unicode_ci`, `binary` and the 273 of
 * ICU's languages.
 */
export const LAST_SHIPPED_COLLATION = 276;

/**
 * Keys of rows of `_schema` that belong to the instance. All others are marks of applications, such as those of
 * `box.once`.
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

/** The last id of the built-in collations of a database. Larger ids belong to users. */
const SHIPPED_COLLATIONS: readonly (readonly [since: SchemaVersion, last: number])[] = [
  [[2, 1, 3], LAST_SHIPPED_COLLATION],
  [[2, 1, 0], 3],
  [[1, 7, 6], 2],
];

/**
 * Returns true for a built-in collation.
 *
 * @param schema - version of the database; undefined for any that has all of them
 */
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
 * Returns true for a built-in row.
 *
 * @param schema - version of the database; undefined if it is not recorded
 * @returns true if the row does not belong to a user
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
