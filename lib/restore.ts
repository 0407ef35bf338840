import { pipeline } from 'node:stream/promises';
import { checkVersion } from './dump.js';
import { asTntarError, TntarError } from './errors.js';
import { compose } from './filters/compose.js';
import { observe, type Totals } from './filters/observe.js';
import {
  Connection,
  type ConnectionOptions,
  closeOnAbort,
  withSignal,
} from './iproto/connection.js';
import { type Report, silent } from './report.js';
import { type Applied, serverSink } from './sinks/server.js';
import { archiveSource } from './sources/archive.js';

export interface RestoreOptions {
  report?: Report;
  /** Stops the restore; the target is then INCOMPLETE, and the error says what it holds. */
  signal?: AbortSignal;
}

/** The error of a restore that has written: it says so in the one word that nobody overlooks. */
function incomplete(error: TntarError, done: Applied): TntarError {
  const { definitions, grants, rows, confirmed } = done;
  if (definitions + rows === 0) return error;
  const applied = `${definitions} definitions and ${rows} rows were sent, ${confirmed} of them confirmed`;
  return new TntarError(error.kind, `${error.message}; the restore is INCOMPLETE: ${applied}`, {
    hint: `${grants === 0 ? 'no grant was applied' : `${grants} grants were sent, too`}; empty the target and restore again`,
    cause: error,
  });
}

/**
 * Restores an archive into an empty database.
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
): Promise<Totals> {
  const report = options.report ?? silent;
  const connection = await Connection.open(withSignal(server, options.signal));
  const totals = observe(report);
  const sink = serverSink(connection, { user: server.user ?? 'guest', report });
  // Also while the input is silent: a lost connection ends the run, and so does a signal.
  connection.onLost((error) => sink.stream.destroy(error));
  const release = closeOnAbort(connection, options.signal);
  try {
    checkVersion(connection, report);
    await pipeline(
      input,
      totals.countOutput,
      archiveSource,
      compose([totals.see]),
      sink.stream,
      options.signal === undefined ? {} : { signal: options.signal },
    );
    return totals.sums();
  } catch (error) {
    connection.close();
    await sink.settled();
    throw incomplete(asTntarError(error), sink.applied);
  } finally {
    release();
    connection.close();
  }
}
