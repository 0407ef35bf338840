import { openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { type Command, InvalidArgumentError } from 'commander';
import { TntarError } from '../lib/errors.js';
import type { ConnectionOptions } from '../lib/iproto/connection.js';
import { describeEndpoint, parseUri } from '../lib/iproto/uri.js';
import { Interrupted } from './exit.js';

/** Options of every command that talks to a server. */
export interface ServerFlags {
  passwordFile?: string;
  connectTimeout: number;
  timeout: number;
}

export const SERVER_HELP = `
URI: [user[:password]@]host[:port], a port, or [user@]unix/:/path; default localhost:3301.
User and password are also taken from TT_CLI_USERNAME and TT_CLI_PASSWORD, or from
--password-file; a password that is still missing is asked for on the terminal.
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
  return command
    .argument('[uri]', 'the server', 'localhost:3301')
    .option('--password-file <file>', 'take the password from the first line of a file')
    .option(
      '--connect-timeout <seconds>',
      'how long connecting and login may take',
      someSeconds,
      10,
    )
    .option('--timeout <seconds>', 'how long the server may be silent, 0: for ever', seconds, 60);
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw new TntarError('usage', `cannot read the password file: ${(error as Error).message}`);
  }
}

/** Takes what a terminal echoes. */
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

/** One line from a terminal, not echoed. */
function readSecret(input: ReadStream, signal: AbortSignal): Promise<string> {
  const line = createInterface({ input, output: nowhere, terminal: true });
  return new Promise<string>((resolve, reject) => {
    line.once('line', resolve);
    line.once('SIGINT', () => reject(new Interrupted('SIGINT')));
    line.once('close', () => reject(new TntarError('access', 'no password was given')));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  }).finally(() => line.close());
}

/** Asks on the terminal device, for standard input and output carry the archive. */
async function prompt(question: string, signal: AbortSignal): Promise<string | undefined> {
  let terminal: number;
  try {
    terminal = openSync('/dev/tty', 'r+');
  } catch {
    return undefined; // no terminal, nobody to ask
  }
  const input = new ReadStream(terminal);
  const output = new WriteStream(terminal);
  try {
    // Before the question: what is typed at once must not be shown either.
    input.setRawMode(true);
    output.write(question);
    return await readSecret(input, signal);
  } finally {
    output.write('\n');
    input.destroy();
    output.destroy();
  }
}

/**
 * Where to connect and as whom, from the address, the environment, a file and the terminal, in this
 * order.
 */
export async function serverOptions(
  uri: string,
  flags: ServerFlags,
  signal: AbortSignal,
): Promise<ConnectionOptions> {
  const endpoint = parseUri(uri);
  const user = endpoint.user ?? process.env['TT_CLI_USERNAME'];
  const given =
    flags.passwordFile === undefined
      ? (endpoint.password ?? process.env['TT_CLI_PASSWORD'])
      : firstLine(flags.passwordFile);
  const options: ConnectionOptions = {
    ...endpoint,
    connectTimeout: flags.connectTimeout * 1000,
    idleTimeout: flags.timeout * 1000,
  };
  if (user === undefined || user === '') return options;
  const password =
    given ??
    (user === 'guest'
      ? undefined
      : await prompt(`Password of ${user} at ${describeEndpoint(endpoint)}: `, signal));
  return { ...options, user, ...(password === undefined ? {} : { password }) };
}
