import type { Report } from '../../lib/base/report.js';
import type { Origin } from '../../lib/sources/origin.js';
import { kindOf } from './places.js';
import { flagsOf, type ServerFlags, serverOptions } from './server-options.js';

export const SIDES_HELP = `
A and B: what is there as a file is an archive, and - is one on standard input. All else is the
address of a server: [user[:password]@]host:port, user@host, a port, or unix/:/path. A name alone
is neither: write ./NAME for a file, NAME:3301 for a server.
--password-file is for both servers, --password-file-b for the second one where that has another; a
password in an address goes before both. The other options of a server are for both, as are
TT_CLI_USERNAME and TT_CLI_PASSWORD.
`;

/**
 * Runs `work` with what an argument names, which is closed at the end.
 *
 * @param passwordFile - of this side
 */
export async function withSide<T>(
  argument: string,
  flags: ServerFlags,
  passwordFile: string | undefined,
  signal: AbortSignal,
  report: Report,
  work: (origin: Origin) => Promise<T>,
): Promise<T> {
  if (kindOf(argument) === 'archive') {
    const { originOf } = await import('./input-source.js');
    return work(originOf(argument, report));
  }
  const own = flagsOf(argument, flags, passwordFile);
  const options = await serverOptions(argument, own, signal, report);
  const { Connection, closeOnAbort } = await import('../../lib/iproto/connection.js');
  const { withSignal } = await import('../../lib/iproto/options.js');
  const { serverOrigin } = await import('../../lib/sources/server.js');
  const connection = await Connection.open(withSignal(options, signal));
  const release = closeOnAbort(connection, signal);
  try {
    return await work(serverOrigin(connection, { report }));
  } finally {
    release();
    connection.close();
  }
}
