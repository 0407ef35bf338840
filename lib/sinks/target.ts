import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import type { Catalog } from '../schema/catalog.js';
import { findConflicts } from '../schema/conflicts.js';
import { isOlder, releaseOf } from '../schema/release.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../schema/system.js';
import { readStatus } from '../server/status.js';

/** Told to the user in full, but a hundred lines of it are enough. */
const SHOWN_CONFLICTS = 100;

/** What restoring needs on the universe: reading the catalog, creating, filling. */
const NEEDED = [
  ['read', Privilege.READ],
  ['write', Privilege.WRITE],
  ['create', Privilege.CREATE],
  ['alter', Privilege.ALTER],
] as const;

/** What it takes to put grants of others back; no name of its own, but part of the role `super`. */
const TO_GRANT = ["grant (the role 'super' has it)", Privilege.GRANT] as const;

/** Bits on the universe that a user has, by its own grants and those of its roles. */
function universeBits(catalog: Catalog, userId: number): number {
  const { grantee, objectType, objectId, bits } = Field.priv;
  const grants = catalog.rows(SystemSpace.PRIV).map(({ fields }) => fields);
  const pending = [userId];
  const seen = new Set<number>();
  let sum = 0n;
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    for (const grant of grants) {
      if (grant[grantee] !== id) continue;
      if (grant[objectType] === 'universe') sum |= BigInt(grant[bits] as number);
      else if (grant[objectType] === 'role') pending.push(Number(grant[objectId]));
    }
  }
  return Number(sum);
}

function checkPrivileges(catalog: Catalog, user: string, backup: Catalog): void {
  const row = catalog.rows(SystemSpace.USER).find(({ fields }) => fields[Field.user.name] === user);
  const id = Number(row?.fields[Field.user.id] ?? BuiltinUser.GUEST);
  if (id === BuiltinUser.ADMIN) return;
  const bits = universeBits(catalog, id);
  const hasGrants = backup.userRows(SystemSpace.PRIV).length > 0;
  const needed = hasGrants ? [...NEEDED, TO_GRANT] : NEEDED;
  const missing = needed.filter(([, bit]) => (bits & bit) === 0).map(([name]) => name);
  if (missing.length === 0) return;
  throw new TntarError('access', `user '${user}' lacks ${missing.join(', ')} on universe`, {
    hint: "restore as admin, or as a user with the role 'super'",
  });
}

/**
 * Refuses a target that cannot take the backup, before the first write.
 *
 * @param serverVersion - of the server that the backup was made from
 * @throws TntarError of kind `failure` (read-only), `access` (privileges) or `target` (the rest)
 */
export async function checkTarget(
  connection: Connection,
  user: string,
  serverVersion: string,
  backup: Catalog,
  target: Catalog,
): Promise<void> {
  const { isReadOnly } = await readStatus(connection);
  if (isReadOnly) {
    throw new TntarError('failure', `the target ${connection.where} is read-only`, {
      hint: 'restore into the master of the replica set; box.info.ro on the target says why',
    });
  }
  checkPrivileges(target, user, backup);
  const { version } = connection.greeting;
  if (isOlder(releaseOf(version), releaseOf(serverVersion))) {
    throw new TntarError(
      'target',
      `the target runs ${version}, older than ${serverVersion}, which the backup is from`,
      { hint: 'restore into the same version or a newer one' },
    );
  }
  const conflicts = findConflicts(backup, target);
  if (conflicts.length === 0) return;
  const shown = conflicts.slice(0, SHOWN_CONFLICTS);
  const more =
    conflicts.length > shown.length ? `; and ${conflicts.length - shown.length} more` : '';
  throw new TntarError(
    'target',
    `the target ${connection.where} is not free for this backup: ${shown.join('; ')}${more}`,
    { hint: 'restore into an empty instance, or drop these first; nothing was written' },
  );
}
