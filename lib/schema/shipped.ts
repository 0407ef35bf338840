import type { Revocation } from '../archive/manifest.js';
import type { Value } from '../tuple/codec.js';
import {
  BuiltinUser,
  Field,
  isBuiltinUser,
  Privilege,
  SYSTEM_ID_MAX,
  SystemSpace,
} from './system.js';

/**
 * Tells the rows that a server ships from those that a user made, for servers from 2.6 to 3.x, as
 * empty instances of 2.6.0, 2.11.5 and 3.3.0 have them.
 */

/** Ids 0 to 276 are `none`, `unicode`, `unicode_ci`, `binary` and the 273 of ICU's languages. */
export const LAST_SHIPPED_COLLATION = 276;

/** Functions of language Lua that every server has, by name. */
const SHIPPED_FUNCTIONS: readonly Value[] = ['box.schema.user.info', 'LUA'];

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

/** Universe, as an object id of `_priv`. */
const UNIVERSE = 0;
const SESSION_AND_USAGE = 24;

/** `_collation`, `_truncate`, `_session_settings`, and the views over system spaces. */
const PUBLIC_ON_SYSTEM_SPACE: Readonly<Record<number, number>> = {
  276: Privilege.WRITE,
  330: Privilege.WRITE,
  380: Privilege.READ | Privilege.WRITE,
  ...Object.fromEntries(
    [277, 281, 286, 289, 297, 305, 313, 341].map((view) => [view, Privilege.READ]),
  ),
};
/** `_cluster` and `_gc_consumers` */
const REPLICATION_SPACES: readonly Value[] = [320, 388];

function isShippedGrantToPublic(type: Value, id: Value, bits: Value, shippedFunctions: Set<Value>) {
  if (type === 'function') return shippedFunctions.has(id) && (bits === 4 || bits === 1);
  return type === 'space' && bits === PUBLIC_ON_SYSTEM_SPACE[Number(id)];
}

function isShippedGrant(fields: Value[], shippedFunctions: Set<Value>): boolean {
  const { grantee, objectType, objectId, bits } = Field.priv;
  const type = fields[objectType]!;
  const id = fields[objectId]!;
  const granted = fields[bits]!;
  switch (fields[grantee]) {
    case BuiltinUser.GUEST:
      if (type === 'role') return id === BuiltinUser.PUBLIC && granted === Privilege.EXECUTE;
      return type === 'universe' && id === UNIVERSE && granted === SESSION_AND_USAGE;
    case BuiltinUser.ADMIN:
    case BuiltinUser.SUPER:
      return type === 'universe' && id === UNIVERSE;
    case BuiltinUser.PUBLIC:
      return isShippedGrantToPublic(type, id, granted, shippedFunctions);
    case BuiltinUser.REPLICATION:
      if (type === 'space') return REPLICATION_SPACES.includes(id) && granted === Privilege.WRITE;
      return type === 'universe' && id === UNIVERSE && granted === Privilege.READ;
    default:
      return false;
  }
}

/** Grants that all servers from 2.6 to 3.x ship, and that can be taken away. */
const SHIPPED_GRANTS: readonly Revocation[] = [
  { grantee: BuiltinUser.GUEST, objectType: 'role', objectId: BuiltinUser.PUBLIC },
  { grantee: BuiltinUser.GUEST, objectType: 'universe', objectId: UNIVERSE },
  { grantee: BuiltinUser.PUBLIC, objectType: 'function', objectId: 1 },
  ...[277, 281, 286, 289, 297, 305, 313, 330].map((objectId) => ({
    grantee: BuiltinUser.PUBLIC,
    objectType: 'space',
    objectId,
  })),
  { grantee: BuiltinUser.REPLICATION, objectType: 'space', objectId: 320 },
  { grantee: BuiltinUser.REPLICATION, objectType: 'universe', objectId: UNIVERSE },
];

/**
 * Grants that a server ships and that somebody has taken away: no row tells of them, and a restore
 * that did not know would open up again what was closed.
 *
 * @param grants - all rows of `_priv`
 */
export function revokedGrants(grants: readonly { fields: Value[] }[]): Revocation[] {
  const { grantee, objectType, objectId } = Field.priv;
  const present = new Set(
    grants.map(({ fields }) => `${fields[grantee]} ${fields[objectType]} ${fields[objectId]}`),
  );
  return SHIPPED_GRANTS.filter(
    (grant) => !present.has(`${grant.grantee} ${grant.objectType} ${grant.objectId}`),
  );
}

export function isShippedCollation(id: number): boolean {
  return id <= LAST_SHIPPED_COLLATION;
}

export function isShippedFunction(fields: Value[]): boolean {
  return (
    fields[Field.func.language] === 'SQL_BUILTIN' ||
    (SHIPPED_FUNCTIONS.includes(fields[Field.func.name]!) &&
      fields[Field.func.owner] === BuiltinUser.ADMIN)
  );
}

/**
 * @param shippedFunctions - ids of the functions for which {@link isShippedFunction} holds
 * @returns true where the row is not a user's
 */
export function isShipped(spaceId: number, fields: Value[], shippedFunctions: Set<Value>): boolean {
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
      return isShippedGrant(fields, shippedFunctions);
    default:
      return false;
  }
}
