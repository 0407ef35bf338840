import { TntarError, unlessAborted } from '../base/errors.js';
import { aBoolean, checkOptions, type Kinds } from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { Moment } from '../flow/consistency.js';
import type { Connection } from '../iproto/connection.js';
import { type Server, serverOptions } from '../iproto/options.js';
import { withConnection } from '../iproto/with-connection.js';
import { takesAway } from '../schema/plan/options.js';
import { isSameDatabase } from '../server/same-database.js';
import type { PreviewResult } from '../sinks/preview.js';
import { checkWanted } from '../sinks/restore-options.js';
import type { Origin } from '../sources/origin.js';
import { READ_MODE, type ReadMode, serverOrigin } from '../sources/server.js';
import {
  previewFrom,
  RESTORING,
  type RestoreOptions,
  type RestoreResult,
  restoreFrom,
} from './restore.js';

/** Options of a copy. */
export interface CopyOptions extends RestoreOptions {
  /** The way to read the source. `auto` takes a snapshot if server and user allow it, else select. Default `auto`. */
  source?: ReadMode;
  /** Take a snapshot even if it can hang the server; without this, `auto` reads by select. Default false. */
  forceSnapshot?: boolean;
  /** Fail if the rows are not from one moment, which is known when they are there. Default false. */
  strict?: boolean;
}

const KINDS: Kinds<CopyOptions> = {
  ...RESTORING,
  source: READ_MODE,
  forceSnapshot: aBoolean,
  strict: aBoolean,
};

/** Checks what would otherwise fail after the login to the source. */
function checkCall(call: string, to: Server, options: CopyOptions): void {
  checkOptions(call, options, KINDS);
  const { without, only, existing, onConflict } = options;
  checkWanted({ without, only, existing, onConflict });
  serverOptions(to);
}

/** The result of a copy. */
export interface CopyResult extends RestoreResult {
  /** The way in which the rows were read. */
  source: 'snapshot' | 'select';
  /** True if all rows are from one moment and committed; those of a snapshot are. */
  consistent: boolean;
}

/** Refuses to remove data of the source, if source and target are one database. */
async function checkOther(
  connection: Connection,
  to: Server,
  { existing = 'error', signal }: CopyOptions,
): Promise<void> {
  if (!takesAway(existing)) return;
  const isSame = await withConnection(to, signal, (target) => isSameDatabase(connection, target));
  if (!isSame) return;
  throw new TntarError(
    'usage',
    `source and target are the same database, and --existing ${existing} would remove its data before it is read`,
    { hint: 'dump the database to a file, and restore the file' },
  );
}

/** Runs `work` with what reads the server at `from`. */
async function reading<T>(
  from: Server,
  to: Server,
  options: CopyOptions,
  work: (begin: Origin) => Promise<T>,
): Promise<T> {
  const { source = 'auto', forceSnapshot = false, report = silent, signal } = options;
  return withConnection(from, signal, async (connection) => {
    await unlessAborted(signal, () => checkOther(connection, to, options));
    return work(serverOrigin(connection, { source, forceSnapshot, report }));
  });
}

/**
 * Copies a database into another one, without an archive in between: the rows of a `dump` pass the same
 * filters and checks as in a `restore`.
 *
 * @param from - the server that is read
 * @param to - the server that is written to
 * @throws TntarError as `dump` and `restore` do; one that says INCOMPLETE if the target was written to; of
 *   kind `usage` if both are one database, and `existing` would remove the rows that are read
 * @example
 * await copy('db1:3301', 'db2:3301', { existing: 'drop' });
 */
export async function copy(
  from: Server,
  to: Server,
  options: CopyOptions = {},
): Promise<CopyResult> {
  checkCall('copy', to, options);
  const { source: _, forceSnapshot: __, strict = false, ...restoring } = options;
  const moment = new Moment('copy', strict, options.report ?? silent);
  return reading(from, to, options, async (begin) => {
    const restored = await restoreFrom(begin, to, restoring, [moment.hear]);
    const { source, consistent } = moment;
    return { ...restored, source, consistent };
  });
}

/**
 * Reads the source, asks the target, and tells what {@link copy} would do. It changes nothing.
 *
 * @throws TntarError as the copy would before its first write
 * @example
 * const { plan } = await previewCopy('db1:3301', 'db2:3301');
 */
export async function previewCopy(
  from: Server,
  to: Server,
  options: CopyOptions = {},
): Promise<PreviewResult> {
  checkCall('previewCopy', to, options);
  const { source: _, forceSnapshot: __, strict: ___, ...restoring } = options;
  return reading(from, to, options, (begin) => previewFrom(begin, to, restoring));
}
