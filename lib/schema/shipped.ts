import type { Value } from '../tuple/codec.js';
import { LUA_FUNCTIONS, type ShippedGrants } from './shipped-grants.js';
import { BuiltinUser, Field, isBuiltinUser, SYSTEM_ID_MAX, SystemSpace } from './system.js';

/**
 * Tells the rows that a server ships from those that a user made, for servers from 2.6 to 3.x, as
 * empty instances of 2.6.0, 2.11.5 and 3.3.0 have them.
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

export function isShippedCollation(id: number): boolean {
  return id <= LAST_SHIPPED_COLLATION;
}

export function isShippedFunction(fields: Value[]): boolean {
  return (
    fields[Field.func.language] === 'SQL_BUILTIN' ||
    (Object.hasOwn(LUA_FUNCTIONS, String(fields[Field.func.name])) &&
      fields[Field.func.owner] === BuiltinUser.ADMIN)
  );
}

/** @returns true where the row is not a user's */
export function isShipped(spaceId: number, fields: Value[], grants: ShippedGrants): boolean {
  switch (spaceId) {
    case SystemSpace.SCHEMA:
      return INSTANCE_KEYS.includes(fields[Field.schema.key]!);
    case SystemSpace.COLLATION:
      return isShippedCollation(Number(fields[Field.collation.id]));
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
