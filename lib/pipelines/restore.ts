import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveInput } from '../archive/input.js';
import { defined } from '../base/defined.js';
import { asTntarError, TntarError, unlessAborted } from '../base/errors.js';
import {
  aFilter,
  aReport,
  aSignal,
  checkOptions,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import { counted, longListOf, type Report, silent } from '../base/report.js';
import { type Filter, filterStages, wantedBy } from '../filters/filter.js';
import { compose, type Stage } from '../flow/compose.js';
import { observe, type Totals } from '../flow/totals.js';
import { Connection, closeOnAbort } from '../iproto/connection.js';
import { ErrorCode } from '../iproto/constants.js';
import { type Server, withSignal } from '../iproto/options.js';
import { checkTarget } from '../server/releases.js';
import { type PreviewResult, previewSink } from '../sinks/preview.js';
import { checkWanted, type RestoreScope, WANTED } from '../sinks/restore-options.js';
import { type Applied, serverSink } from '../sinks/server.js';
import { type ArchiveReading, archiveOrigin, type Origin } from '../sources/origin.js';

/** Options of a restore. */
export interface RestoreOptions extends RestoreScope {
  report?: Report;
  /** Filters for the backup, in their order. */
  filters?: readonly Filter[];
  /** Stops the restore; the target is then INCOMPLETE, and the error says what it holds. */
  signal?: AbortSignal;
}

/** The values of the options of a restore. */
export const RESTORING: Kinds<RestoreOptions> = {
  ...WANTED,
  report: aReport,
  filters: listOfEach(aFilter),
  signal: aSignal,
};

/** The result of a restore. */
export interface RestoreResult extends Totals {
  /** Rows of system spaces: spaces, indexes, users, … */
  definitions: number;
}

/** Restored rows may be among rows that existed before, so the hint says how to find them. */
const UNDO_ROWS =
  'the rows sent are the first of each space in the archive: delete those that arrived, keep the rows that existed before, and restore again';

const GO_ON =
  '--on-conflict skip leaves rows that are there, and --on-conflict replace puts others in their place';

function tallied(spaces: Applied['spaces']): string[] {
  return [...spaces].map(([name, { sent, confirmed }]) => `'${name}': ${confirmed} of ${sent}`);
}

/**
 * What to do about a target that was written to.
 *
 * @param isThere - whether a row stopped it that the target has
 */
function wayOut(
  { grants, made }: Applied,
  { only, existing = 'error', onConflict = 'error' }: RestoreScope,
  isThere: boolean,
): string {
  if (only === 'data') {
    if (onConflict !== 'error') return 'the same command again goes on with what is missing';
    return isThere ? `${GO_ON}; ${UNDO_ROWS}` : UNDO_ROWS;
  }
  const granted =
    grants === 0
      ? 'no grant was applied'
      : `${counted(grants, 'grant')} ${grants === 1 ? 'was' : 'were'} sent, too`;
  switch (existing) {
    case 'error':
      return `${granted}; empty the target and restore again`;
    case 'drop':
      return `${granted}; restore again with --existing drop, from a whole archive`;
    default:
      return made.length === 0
        ? `${granted}; restore again with --existing ${existing}`
        : `${granted}; drop what was made and is not whole (${longListOf(made)}), and restore again`;
  }
}

const hasWritten = ({ definitions, rows, taken, emptied }: Applied): boolean =>
  definitions + rows + taken + emptied.length > 0;

/** Returns the error of a restore that has written: it says INCOMPLETE, which nobody overlooks. */
function incomplete(error: TntarError, done: Applied, wanted: RestoreScope): TntarError {
  if (!hasWritten(done)) return error;
  const { definitions, taken, rows, confirmed, spaces, dropped, emptied } = done;
  const where = wanted.only === 'data' && rows > 0 ? ` (${longListOf(tallied(spaces))})` : '';
  const outcome = [
    `the restore is INCOMPLETE: ${counted(definitions, 'definition')} and ${counted(rows, 'row')} were sent, ${confirmed} of them confirmed${where}`,
    ...(taken > 0
      ? [`${counted(taken, 'definition')} ${taken === 1 ? 'was' : 'were'} taken away before`]
      : []),
    ...(dropped.length > 0 ? [`dropped: ${longListOf(dropped)}`] : []),
    ...(emptied.length > 0 ? [`emptied: ${longListOf(emptied)}`] : []),
  ].join('; ');
  const next = wayOut(done, wanted, error.serverCode === ErrorCode.TUPLE_FOUND);
  const hint = error.hint === undefined ? next : `${error.hint}; ${next}`;
  return TntarError.wrap(error, { outcome, hint });
}

/** Runs a backup into a sink at the other end of `connection`. */
async function pour(
  begin: Origin,
  connection: Connection,
  sink: Writable,
  { report = silent, filters = [], signal }: RestoreOptions,
  stages: readonly Stage[],
): Promise<Totals> {
  const totals = observe(report);
  const release = closeOnAbort(connection, signal);
  try {
    checkTarget(connection, report);
    const items = await begin({
      countBytes: totals.countBytes,
      wants: wantedBy(filters),
    });
    // Also while the input is silent: a lost connection ends the run, and so does a signal.
    connection.onLost((error) => sink.destroy(error));
    if (connection.lost !== undefined) sink.destroy(connection.lost);
    await pipeline(
      items,
      compose([...stages, ...filterStages(filters, report), totals.see]),
      sink,
      defined({ signal }),
    );
    return totals.sums();
  } finally {
    release();
    connection.close();
  }
}

const reading = ({ report = silent }: RestoreOptions): ArchiveReading => ({ report });

/**
 * Restores an archive.
 *
 * @param input - the bytes of the archive, or its file. If spaces are chosen, only the needed parts of a file
 *   are read
 * @param server - the address and the login
 * @throws TntarError; one that says INCOMPLETE if the target was written to; the reason of `signal` if
 *   nothing was written
 * @example
 * await restore('backup.tar.zst', 'db2:3301');
 */
export async function restore(
  input: ArchiveInput,
  server: Server,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  checkOptions('restore', options, RESTORING);
  return restoreFrom(archiveOrigin(input, reading(options)), server, options);
}

/**
 * Restores the items of `begin`; see {@link restore}.
 *
 * @param stages - stages before the sink
 */
export async function restoreFrom(
  begin: Origin,
  server: Server,
  options: RestoreOptions,
  stages: readonly Stage[] = [],
): Promise<RestoreResult> {
  const { report = silent, filters: _, signal, ...wanted } = options;
  checkWanted(wanted);
  const connection = await unlessAborted(signal, () => Connection.open(withSignal(server, signal)));
  const sink = serverSink(connection, { report, ...wanted });
  try {
    const totals = await pour(begin, connection, sink, options, stages);
    const { spaces, spaceCount, confirmed, definitions } = sink.applied;
    const bytes = [...spaces.values()].reduce((sum, tally) => sum + tally.bytes, 0);
    return { ...totals, spaces: spaceCount, rows: confirmed, bytes, definitions };
  } catch (error) {
    await sink.settled();
    if (!hasWritten(sink.applied)) signal?.throwIfAborted();
    throw incomplete(asTntarError(error), sink.applied, wanted);
  }
}

/**
 * Reads and verifies the same input as {@link restore}, asks the target, and returns what a restore with these
 * options would do. It changes nothing.
 *
 * @throws TntarError as the restore would before its first write; the reason of `signal`
 * @example
 * const { plan } = await previewRestore('backup.tar.zst', 'db2:3301');
 * plan.grants.map(({ what }) => what);
 */
export async function previewRestore(
  input: ArchiveInput,
  server: Server,
  options: RestoreOptions = {},
): Promise<PreviewResult> {
  checkOptions('previewRestore', options, RESTORING);
  return previewFrom(archiveOrigin(input, reading(options)), server, options);
}

/** Tells what {@link restoreFrom} would do; see {@link previewRestore}. */
export async function previewFrom(
  begin: Origin,
  server: Server,
  options: RestoreOptions,
): Promise<PreviewResult> {
  const { report: _, filters: __, signal, ...wanted } = options;
  checkWanted(wanted);
  let preview: PreviewResult | undefined;
  await unlessAborted(signal, async () => {
    const connection = await Connection.open(withSignal(server, signal));
    const sink = previewSink(connection, wanted, (found) => {
      preview = found;
    });
    await pour(begin, connection, sink, options, []);
  });
  if (preview === undefined) throw new Error('the archive ended without its end');
  return preview;
}
