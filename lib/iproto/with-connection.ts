import { unlessAborted } from '../base/errors.js';
import { Connection, closeOnAbort } from './connection.js';
import { type Server, withSignal } from './options.js';

/**
 * Runs `work` with a connection, which is closed at its end, or by `signal`.
 *
 * @throws the error of `Connection.open`, or the reason of `signal`; the error of `work`
 * @example
 * const version = await withConnection('db1:3301', signal, async ({ greeting }) => greeting.version);
 */
export async function withConnection<T>(
  server: Server,
  signal: AbortSignal | undefined,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await unlessAborted(signal, () => Connection.open(withSignal(server, signal)));
  const release = closeOnAbort(connection, signal);
  try {
    return await work(connection);
  } finally {
    release();
    connection.close();
  }
}
