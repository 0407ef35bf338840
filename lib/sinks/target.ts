import type { Manifest } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import type { Catalog } from '../schema/catalog.js';
import { type PlanOptions, planRestore, type RestorePlan } from '../schema/plan.js';
import { isOlder, releaseOf } from '../schema/release.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../schema/system.js';
import { readCatalog } from '../server/catalog.js';
import { readStatus } from '../server/status.js';

/** Told to the user in full, but a hundred lines of it are enough. */
const SHOWN_LINES = 100;

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

function userId(catalog: Catalog, user: string): number {
  const row = catalog.rows(SystemSpace.USER).find(({ fields }) => fields[Field.user.name] === user);
  return Number(row?.fields[Field.user.id] ?? BuiltinUser.GUEST);
}

function checkPrivileges(catalog: Catalog, user: string, backup: Catalog): void {
  const id = userId(catalog, user);
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

/** What of a backup is wanted; all of it by default. */
export type Wanted = Pick<PlanOptions, 'without' | 'only'>;

/** Where a backup goes, and as whom. */
export interface Target {
  connection: Connection;
  /** As whom the connection is logged in. */
  user: string;
}

function listed(lines: readonly string[]): string {
  const shown = lines.slice(0, SHOWN_LINES);
  const more = lines.length > shown.length ? `; and ${lines.length - shown.length} more` : '';
  return `${shown.join('; ')}${more}`;
}

/**
 * Reads the target, refuses it where it cannot take the backup, and plans what it takes. Writes nothing.
 *
 * @param manifest - of the backup
 * @param backup - the user's rows of its system spaces
 * @throws TntarError of kind `failure` (read-only), `access` (privileges) or `target` (the rest)
 */
export async function planFor(
  { connection, user }: Target,
  manifest: Manifest,
  backup: Catalog,
  wanted: Wanted,
): Promise<RestorePlan> {
  const catalog = await readCatalog(connection);
  const { isReadOnly } = await readStatus(connection);
  if (isReadOnly) {
    throw new TntarError('failure', `the target ${connection.where} is read-only`, {
      hint: 'restore into the master of the replica set; box.info.ro on the target says why',
    });
  }
  checkPrivileges(catalog, user, backup);
  const { version } = connection.greeting;
  const releases = { source: releaseOf(manifest.server.version), target: releaseOf(version) };
  const plan = planRestore(backup, catalog, {
    ...wanted,
    releases,
    revoked: manifest.revoked,
    restorer: userId(catalog, user),
  });
  if (isOlder(releases.target, releases.source)) {
    throw new TntarError(
      'target',
      `the target runs ${version}, older than ${manifest.server.version}, which the backup is from`,
      { hint: 'restore into the same version or a newer one' },
    );
  }
  if (plan.conflicts.length === 0) return plan;
  throw new TntarError(
    'target',
    `the target ${connection.where} is not free for this backup: ${listed(plan.conflicts)}`,
    {
      hint: 'restore into an empty instance, drop these first, or use them (--no-users, --no-functions); nothing was written',
    },
  );
}
