import { type Command, InvalidArgumentError } from 'commander';
import { defined } from '../../lib/base/defined.js';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { ConnectionOptions } from '../../lib/iproto/options.js';
import { describeEndpoint, type Endpoint, parseUri } from '../../lib/iproto/uri.js';
import type { Run } from '../output/run.js';
import { statOf } from './files.js';
import { ask, passwordIn } from './secrets.js';
import type { TlsFlags } from './tls-options.js';

/** Options of every command that talks to a server. */
export interface ServerFlags extends TlsFlags {
  passwordFile?: string;
  connectTimeout: number;
  timeout: number;
}

export const SERVER_HELP = `
URI: [user[:password]@]host[:port], a port, or [user@]unix/:/path. The default is localhost:3301.
User and password can also come from TT_CLI_USERNAME and TT_CLI_PASSWORD, the password from
--password-file. If it is still missing, tntar asks for it on the terminal. Avoid a password in
the URI: it stays in the shell history and is briefly visible in the process list.
`;

/** The longest time that a timer of Node can hold, in whole days. */
const MAX_SECONDS = 24 * 24 * 3600;

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= MAX_SECONDS)) {
    throw new InvalidArgumentError(`It must be a number of seconds, at most ${MAX_SECONDS}.`);
  }
  return value;
}

function someSeconds(text: string): number {
  const value = seconds(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be more than 0.');
}

/** The server that is meant if no address is given. */
export const DEFAULT_URI = 'localhost:3301';

/** Adds the address of the server to read from, and the options of the connection. */
export function addServerOptions(command: Command): Command {
  return addConnectionOptions(command.argument('[uri]', 'server to read from', DEFAULT_URI));
}

/** Adds the options of a connection, as a group of their own. */
export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup('Connection options:')
    .option('--password-file <file>', 'read the password from the first line of a file')
    .option('--connect-timeout <seconds>', 'time limit for connecting and login', someSeconds, 10)
    .option('--timeout <seconds>', 'time limit for a silent server; 0 for none', seconds, 60)
    .option('--tls', 'use TLS (implied by every --tls-* option)')
    .option(
      '--tls-ca <file>',
      'certificate authorities to trust (PEM), instead of those of the system',
    )
    .option('--tls-cert <file>', 'client certificate (PEM); needs --tls-key')
    .option('--tls-key <file>', 'private key of the client certificate (PEM)')
    .option(
      '--tls-key-password-file <file>',
      'file with the password of the private key, in its first line',
    )
    .option(
      '--tls-server-name <name>',
      'name expected in the server certificate, if not the host name',
    );
}

/**
 * Checks that a path after a password names a socket: if it does not, it may be more of the password, which no error
 * of the connection must show.
 */
function checkSocket({ path, password }: Endpoint): void {
  if (path === undefined || password === undefined || statOf(path)?.isSocket() === true) return;
  throw new TntarError('usage', 'the path after the password in the address is not a socket', {
    hint: 'check that the server runs; in a password, write %40 for @ and %2F for /',
  });
}

/**
 * Returns the options for one of two servers. A password in its address comes before the file.
 *
 * @param passwordFile - of this server
 */
export function flagsOf(
  address: string,
  flags: ServerFlags,
  passwordFile: string | undefined,
): ServerFlags {
  const { passwordFile: _, ...others } = flags;
  const isGiven = parseUri(address).password !== undefined || passwordFile === undefined;
  return isGiven ? others : { ...others, passwordFile };
}

/**
 * Where to connect and as whom, from the address, the environment, files and the terminal, in this
 * order.
 */
export async function serverOptions(
  { process }: Run,
  uri: string,
  flags: ServerFlags,
  signal: AbortSignal,
  report: Report,
): Promise<ConnectionOptions> {
  const endpoint = parseUri(uri);
  checkSocket(endpoint);
  const user = endpoint.user ?? process.env['TT_CLI_USERNAME'];
  const given =
    flags.passwordFile === undefined
      ? (endpoint.password ?? process.env['TT_CLI_PASSWORD'])
      : passwordIn(flags.passwordFile, 'password file', report);
  const tls = Object.keys(flags).some((name) => name.startsWith('tls'))
    ? await (await import('./tls-options.js')).tlsOptions(process, flags, signal, report)
    : undefined;
  const options: ConnectionOptions = {
    ...endpoint,
    connectTimeout: flags.connectTimeout * 1000,
    idleTimeout: flags.timeout * 1000,
    ...defined({ tls }),
  };
  if (user === undefined || user === '') return options;
  const password =
    given ??
    (user === 'guest'
      ? undefined
      : await ask(process, `Password of ${user} at ${describeEndpoint(endpoint)}: `, signal));
  return { ...options, user, ...defined({ password }) };
}
