import { setImmediate } from 'node:timers/promises';
import type { Outlook } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { listOf, longListOf } from '../base/report.js';
import { inTurns } from '../base/turns.js';
import type { Connection } from '../iproto/connection.js';
import { lackingPrivileges } from '../schema/access/required-privileges.js';
import type { Catalog } from '../schema/catalog/catalog.js';
import { excludedIn } from '../schema/catalog/excluded-rows.js';
import { backupVersions, serverVersions } from '../schema/convert/versions.js';
import { vinylMisfits } from '../schema/convert/vinyl.js';
import { isUsed, takesRows } from '../schema/plan/options.js';
import { planInTurns, type RestorePlan } from '../schema/plan/plan.js';
import {
  isOlder,
  OLDEST_TARGET,
  type Release,
  type SchemaVersion,
  showRelease,
  showSchema,
  type Versions,
} from '../schema/server/release.js';
import { SystemSpace } from '../schema/server/system-spaces.js';
import { Privileges } from '../schema/trust/privileges.js';
import { readCatalog } from '../server/catalog.js';
import { readRefusals } from '../server/refusals.js';
import { readSequenceValues } from '../server/sequence-values.js';
import { readOnlyReason } from '../server/status.js';
import { throwHidden } from '../server/unreadable.js';
import { checkCapacity } from './capacity.js';
import { checkHeld, type RestoreScope } from './restore-options.js';

/**
 * Checks the privileges of the restoring user.
 *
 * @throws TntarError of kind `access` that names all missing privileges
 */
function checkPrivileges(
  privileges: Privileges,
  plan: RestorePlan,
  target: Catalog,
  release: Release,
): void {
  const lacking = lackingPrivileges(privileges, plan, target, release);
  if (lacking.length === 0) return;
  throw new TntarError('access', `user '${privileges.user}' lacks ${longListOf(lacking)}`, {
    hint: "restore as admin, as a user with the role 'super', or see docs/reference/privileges.md for less; nothing was written",
  });
}

/** Reads all rows of the target's system spaces that the plan needs. */
async function readTarget(
  connection: Connection,
  backup: Catalog,
  { only, existing = 'error' }: RestoreScope,
): Promise<Catalog> {
  const catalog = await readCatalog(connection);
  // Existing sequences must not go back.
  const movesOn = only === 'data' || isUsed(existing);
  if (movesOn && backup.userRows(SystemSpace.SEQUENCE_DATA).length > 0) {
    const { rows, hidden } = await readSequenceValues(connection, catalog);
    throwHidden(connection.user, hidden);
    catalog.replace(SystemSpace.SEQUENCE_DATA, rows);
  }
  return catalog;
}

export const READ_ONLY_HINT =
  "restore into the master of the replica set; box.info.ro_reason (since 2.10) and box.info.status on the target say why: an 'orphan' waits for its replicas";

const OF_THE_TARGET = 'use users and functions of the target (--no-users, --no-functions)';
const MAKE_FIT = 'change its spaces to fit (drop a foreign key during the restore)';

/** Returns the hint about conflicts. */
function wayAround({ only, existing = 'error' }: RestoreScope): string {
  if (only === 'data') {
    return `${MAKE_FIT}, or restore the definitions as well into an empty instance`;
  }
  switch (existing) {
    case 'error':
      return 'restore into an empty instance, drop these first, or use them (--existing, --no-users, --no-functions)';
    case 'drop':
      return `drop the conflicting objects on the target, leave these spaces out (--exclude), or ${OF_THE_TARGET}`;
    case 'skip':
      return `drop the conflicting objects on the target, or ${OF_THE_TARGET}`;
    default:
      return `${MAKE_FIT}, recreate them with --existing drop, or ${OF_THE_TARGET}`;
  }
}

function refusal(where: string, conflicts: readonly string[], wanted: RestoreScope): TntarError {
  const { only, existing = 'error' } = wanted;
  const areRows = only === 'data' || takesRows(existing);
  const what = areRows ? 'cannot take the rows of this backup' : 'cannot take this backup';
  return new TntarError('target', `the target ${where} ${what}: ${listOf(conflicts)}`, {
    hint: `${wayAround(wanted)}; nothing was written`,
  });
}

/**
 * Returns a warning if dropped objects are restored incompletely; an empty list if nothing is dropped or the backup
 * is complete.
 */
function halfLosses({ partial = [], changed = [] }: Manifest, plan: RestorePlan): string[] {
  const goes = plan.drops.length > 0 || plan.before.some(({ verb }) => verb === 'truncate');
  const ways = [...partial, ...changed];
  if (!goes || ways.length === 0) return [];
  return [
    `dropped objects are recreated from the archive, and the archive is not a whole database: ${listOf(ways)}`,
  ];
}

/** From this release on, a server refuses to change definitions of a schema older than {@link CHANGEABLE_SCHEMA}. */
const REFUSES_OLD_SCHEMAS: Release = [3, 0];
/**
 * The oldest schema that can be changed. Source: `SCHEMA_FEATURE_DDL_BEFORE_UPGRADE` of the server's
 * `src/box/schema.h`.
 */
const CHANGEABLE_SCHEMA: SchemaVersion = [2, 11, 1];

/**
 * Checks the version of the target's schema.
 *
 * @throws TntarError of kind `target` if the target's own definitions are too old to add to them
 */
function checkSchema(where: string, version: string, { server, schema }: Versions): void {
  const least = isOlder(server, REFUSES_OLD_SCHEMAS) ? OLDEST_TARGET : CHANGEABLE_SCHEMA;
  if (!isOlder(schema, least)) return;
  throw new TntarError(
    'target',
    `the target ${where} runs ${version}, and its schema still has version ${showSchema(schema)}; ${showSchema(least)} or newer is required`,
    { hint: 'run box.schema.upgrade() on the target; nothing was written' },
  );
}

/**
 * Checks that no definition would be refused.
 *
 * @throws TntarError of kind `target` that names all definitions that the server would refuse
 */
function checkRefused(where: string, refused: readonly string[]): void {
  if (refused.length === 0) return;
  throw new TntarError(
    'target',
    `the target ${where} would refuse definitions: ${listOf(refused)}`,
    {
      hint: 'leave these out (--exclude, --no-users, --no-privileges, --no-functions, --filter); nothing was written',
    },
  );
}

/**
 * Checks the foreign keys to excluded rows.
 *
 * @throws TntarError of kind `target` that names all foreign keys that the server would refuse after the rows
 */
function checkKeys(brokenKeys: readonly string[]): void {
  if (brokenKeys.length === 0) return;
  throw new TntarError(
    'target',
    `rows cannot be restored without the rows that they refer to, which are excluded: ${listOf(brokenKeys)}`,
    {
      hint: 'exclude the rows of these spaces as well (--exclude-rows), or include the rows that they refer to; nothing was written',
    },
  );
}

/**
 * Checks the spaces of the engine vinyl.
 *
 * @throws TntarError of kind `target` that names everything that vinyl cannot hold
 */
function checkVinyl(made: Catalog): void {
  const misfits = vinylMisfits(made);
  if (misfits.length === 0) return;
  throw new TntarError(
    'target',
    `vinyl cannot hold everything in this backup: ${listOf(misfits)}`,
    {
      hint: 'leave these spaces out, or keep them in memtx; nothing was written',
    },
  );
}

/**
 * Reads the target, refuses it if it cannot take the backup, and returns the plan. Writes nothing.
 *
 * @param manifest - of the backup
 * @param backup - the user's rows of its system spaces
 * @param outlook - the known facts about its rows
 * @throws TntarError of kind `failure` (read-only), `access` (privileges) or `target` (the rest)
 */
export async function planFor(
  connection: Connection,
  manifest: Manifest,
  backup: Catalog,
  wanted: RestoreScope,
  outlook: Outlook = {},
): Promise<RestorePlan> {
  checkHeld(manifest, wanted);
  const catalog = await readTarget(connection, backup, wanted);
  const readOnly = await readOnlyReason(connection);
  if (readOnly !== undefined) {
    throw new TntarError('failure', `the target ${connection.where} is read-only: ${readOnly}`, {
      hint: READ_ONLY_HINT,
    });
  }
  const { version } = connection.greeting;
  const target = serverVersions(version, catalog);
  checkSchema(connection.where, version, target);
  const releases = { source: backupVersions(manifest.server, backup, target), target };
  const privileges = new Privileges(catalog, connection.user);
  const options = {
    ...wanted,
    releases,
    revoked: manifest.revoked,
    excluded: excludedIn(manifest.spaces),
    restorer: privileges.userId,
  };
  // Each step takes up to a second for definitions at their limits. Signals are handled in between.
  await setImmediate();
  const first = await inTurns(planInTurns(backup, catalog, options));
  await setImmediate();
  const refused = await readRefusals(connection, first.questions);
  const plan =
    refused.size === 0
      ? first
      : await inTurns(planInTurns(backup, catalog, { ...options, refused }));
  if (plan.unsupported.length > 0) {
    throw new TntarError(
      'target',
      `the target runs ${version} and cannot hold everything in the backup of ${showRelease(releases.source.server)}: ${listOf(plan.unsupported)}`,
      { hint: 'restore into a newer version; nothing was written' },
    );
  }
  await setImmediate();
  checkRefused(connection.where, plan.refused);
  checkKeys(plan.brokenKeys);
  checkVinyl(plan.made);
  if (plan.conflicts.length > 0) throw refusal(connection.where, plan.conflicts, wanted);
  await setImmediate();
  checkPrivileges(privileges, plan, catalog, target.server);
  await setImmediate();
  const notes = await checkCapacity(connection, plan, outlook, backup, catalog);
  return {
    ...plan,
    notes: [...plan.notes, ...notes],
    losses: [...halfLosses(manifest, plan), ...plan.losses],
  };
}
