import { type Command, InvalidArgumentError } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { ConnectionOptions } from '../../lib/iproto/options.js';
import { describeEndpoint, type Endpoint, parseUri } from '../../lib/iproto/uri.js';
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
URI: [user[:password]@]host[:port], a port, or [user@]unix/:/path; default localhost:3301.
User and password are also taken from TT_CLI_USERNAME and TT_CLI_PASSWORD, or from
--password-file; a password that is still missing is asked for on the terminal. One in the
URI stays in the history of your shell, and others see it for a moment among the processes.
`;

/** What a timer of Node can hold, in whole days. */
const MAX_SECONDS = 24 * 24 * 3600;

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= MAX_SECONDS)) {
    throw new InvalidArgumentError(`It has to be seconds, ${MAX_SECONDS} at most.`);
  }
  return value;
}

function someSeconds(text: string): number {
  const value = seconds(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It has to be more than 0.');
}

export function addServerOptions(command: Command): Command {
  return addConnectionOptions(command.argument('[uri]', 'the server', 'localhost:3301'));
}

/** How to connect, wherever that is. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'take the password from the first line of a file')
    .option(
      '--connect-timeout <seconds>',
      'how long connecting and login may take',
      someSeconds,
      10,
    )
    .option('--timeout <seconds>', 'how long the server may be silent, 0: for ever', seconds, 60)
    .option('--tls', 'speak TLS; so does each option that begins like this')
    .option('--tls-ca <file>', "trust these authorities (PEM), and not those of the system's list")
    .option('--tls-cert <file>', 'show this certificate to the server (PEM); takes --tls-key')
    .option('--tls-key <file>', 'the private key of that certificate (PEM)')
    .option('--tls-key-password-file <file>', 'its password, where it has one, in the first line')
    .option('--tls-server-name <name>', 'whose certificate it has to be, if not that of the host');
}

/**
 * Checks that a path after a password names a socket: if it does not, it may be more of the password, which no error
 * of the connection must show.
 */
function checkSocket({ path, password }: Endpoint): void {
  if (path === undefined || password === undefined || statOf(path)?.isSocket() === true) return;
  throw new TntarError('usage', 'the path in the address, after the password, names no socket', {
    hint: 'does the server run? in a password write %40 for @ and %2F for /',
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
    ? await (await import('./tls-options.js')).tlsOptions(flags, signal, report)
    : undefined;
  const options: ConnectionOptions = {
    ...endpoint,
    connectTimeout: flags.connectTimeout * 1000,
    idleTimeout: flags.timeout * 1000,
    ...(tls === undefined ? {} : { tls }),
  };
  if (user === undefined || user === '') return options;
  const password =
    given ??
    (user === 'guest'
      ? undefined
      : await ask(`Password of ${user} at ${describeEndpoint(endpoint)}: `, signal));
  return { ...options, user, ...(password === undefined ? {} : { password }) };
}
