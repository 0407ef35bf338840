import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkVersion } from './dump.js';
import { asTntarError, TntarError } from './errors.js';
import { compose } from './filters/compose.js';
import { observe, type Totals } from './filters/observe.js';
import { type Rewrite, rewritten } from './filters/rewrite.js';
import {
  Connection,
  type ConnectionOptions,
  closeOnAbort,
  withSignal,
} from './iproto/connection.js';
import { listOf, type Report, silent } from './report.js';
import { type Preview, previewSink } from './sinks/preview.js';
import { type Applied, serverSink } from './sinks/server.js';
import type { Wanted } from './sinks/target.js';
import { archiveSource } from './sources/archive.js';

export interface RestoreOptions extends Wanted {
  report?: Report;
  /** What becomes of the backup on its way into the target, one behind the other. */
  rewrites?: readonly Rewrite[];
  /** Stops the restore; the target is then INCOMPLETE, and the error says what it holds. */
  signal?: AbortSignal;
}

/** What a restore has written. */
export interface Restored extends Totals {
  /** Rows of system spaces: spaces, indexes, users, … */
  definitions: number;
}

/** Rows that came may stand beside rows that were there: it has to be told which they are. */
const UNDO_ROWS =
  'the rows sent are the first of each space in the archive: take away those that came, none that was there before, and restore again';

function tallied(spaces: Applied['spaces']): string[] {
  return [...spaces].map(([name, { sent, confirmed }]) => `'${name}': ${confirmed} of ${sent}`);
}

/** The error of a restore that has written: it says so in the one word that nobody overlooks. */
function incomplete(error: TntarError, done: Applied, only: Wanted['only']): TntarError {
  const { definitions, grants, rows, confirmed, spaces } = done;
  if (definitions + rows === 0) return error;
  const applied = `${definitions} definitions and ${rows} rows were sent, ${confirmed} of them confirmed`;
  const where = only === 'data' && rows > 0 ? ` (${listOf(tallied(spaces))})` : '';
  const message = `${error.message}; the restore is INCOMPLETE: ${applied}${where}`;
  const granted = grants === 0 ? 'no grant was applied' : `${grants} grants were sent, too`;
  const next = only === 'data' ? UNDO_ROWS : `${granted}; empty the target and restore again`;
  const hint = error.hint === undefined ? next : `${error.hint}; ${next}`;
  return new TntarError(error.kind, message, { hint, cause: error });
}

/** Runs an archive into a sink at the other end of `connection`. */
async function pour(
  input: AsyncIterable<Buffer>,
  connection: Connection,
  sink: Writable,
  { report = silent, rewrites = [], signal }: RestoreOptions,
): Promise<Totals> {
  const totals = observe(report);
  // Also while the input is silent: a lost connection ends the run, and so does a signal.
  connection.onLost((error) => sink.destroy(error));
  const release = closeOnAbort(connection, signal);
  try {
    checkVersion(connection, report);
    await pipeline(
      input,
      totals.countOutput,
      (bytes: AsyncIterable<Buffer>) => rewritten(archiveSource(bytes), rewrites, report),
      compose([totals.see]),
      sink,
      signal === undefined ? {} : { signal },
    );
    return totals.sums();
  } finally {
    release();
    connection.close();
  }
}

/**
 * Restores an archive.
 *
 * @param input - the bytes of the archive
 * @param server - where to connect and as whom
 * @throws TntarError; one that says INCOMPLETE where the target was written to
 * @example
 * await restore(createReadStream('backup.tar.zst'), { host: 'db2', port: 3301 });
 */
export async function restore(
  input: AsyncIterable<Buffer>,
  server: ConnectionOptions,
  options: RestoreOptions = {},
): Promise<Restored> {
  const { report = silent, without, only } = options;
  const connection = await Connection.open(withSignal(server, options.signal));
  const sink = serverSink(connection, { report, without, only });
  try {
    const totals = await pour(input, connection, sink, options);
    const written = only === 'schema' ? { ...totals, spaces: 0, rows: 0, bytes: 0 } : totals;
    return { ...written, definitions: sink.applied.definitions };
  } catch (error) {
    await sink.settled();
    throw incomplete(asTntarError(error), sink.applied, only);
  }
}

/**
 * Reads and verifies a whole archive, asks the target, and tells what a restore with these options
 * would do. It changes nothing.
 *
 * @throws TntarError as the restore would before its first write
 * @example
 * const { plan } = await previewRestore(createReadStream('backup.tar.zst'), { host: 'db2', port: 3301 });
 * plan.grants.map(({ what }) => what);
 */
export async function previewRestore(
  input: AsyncIterable<Buffer>,
  server: ConnectionOptions,
  options: RestoreOptions = {},
): Promise<Preview> {
  const { without, only } = options;
  const connection = await Connection.open(withSignal(server, options.signal));
  let preview: Preview | undefined;
  const sink = previewSink(connection, { without, only }, (found) => {
    preview = found;
  });
  await pour(input, connection, sink, options);
  if (preview === undefined) throw new Error('the archive ended without its end');
  return preview;
}
