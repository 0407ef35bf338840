import type { Report } from '../../lib/base/report.js';
import type { Origin } from '../../lib/sources/origin.js';
import type { Run } from '../output/run.js';
import { kindOf } from './places.js';
import { flagsOf, type ServerFlags, serverOptions } from './server-options.js';

export const SIDES_HELP = `
A and B: an existing file is an archive, and - is an archive on standard input. Anything else is
the address of a server: [user[:password]@]host:port, user@host, a port, or unix/:/path. A name
alone is ambiguous: write ./NAME for a file, NAME:3301 for a server.
--password-file is for both servers; --password-file-b overrides it for B. A password in an address
overrides both. All other connection options, TT_CLI_USERNAME and TT_CLI_PASSWORD are for both.
`;

/**
 * Runs `work` with what an argument names, which is closed at the end.
 *
 * @param passwordFile - of this side
 * @param shard - of an archive of a cluster
 */
export async function withSide<T>(
  run: Run,
  argument: string,
  flags: ServerFlags,
  passwordFile: string | undefined,
  signal: AbortSignal,
  report: Report,
  shard: number | undefined,
  work: (origin: Origin) => Promise<T>,
): Promise<T> {
  if (kindOf(argument) === 'archive') {
    const { originOf } = await import('./input-source.js');
    return work(originOf(run, argument, report, { shard }));
  }
  const own = flagsOf(argument, flags, passwordFile);
  const options = await serverOptions(run, argument, own, signal, report);
  const { withConnection } = await import('../../lib/iproto/with-connection.js');
  const { serverOrigin } = await import('../../lib/sources/server.js');
  return withConnection(options, signal, (connection) =>
    work(serverOrigin(connection, { report })),
  );
}
