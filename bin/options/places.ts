import { type Command, InvalidArgumentError, Option } from 'commander';
import { MAX_SHARDS } from '../../lib/backup/cluster.js';
import { TntarError } from '../../lib/base/errors.js';
import { ARCHIVE_NAME, holdsDump, isZstd, statOf } from './files.js';
import { withoutPassword } from './passwords.js';

/** The kinds of things that an argument names. */
export type PlaceKind = 'archive' | 'server';

const SOCKET_ADDRESS = /^([^/]*@)?unix\/:/;
const ADDRESS = /@|^\d+$|^\[|^[^/]+:\d+$/;

/** Tells files from addresses of servers, by what exists and by the looks of it; undefined if it may be either. */
function guess(argument: string): PlaceKind | undefined {
  if (argument === '-') return 'archive';
  const stat = statOf(argument);
  if (stat !== undefined) return stat.isSocket() ? 'server' : 'archive';
  if (SOCKET_ADDRESS.test(argument)) return 'server';
  if (ARCHIVE_NAME.test(argument)) return 'archive';
  if (ADDRESS.test(argument)) return 'server';
  return argument.includes('/') ? 'archive' : undefined;
}

/**
 * Tells what an argument names that may be a file or the address of a server.
 *
 * @throws TntarError of kind `usage` if it may be either
 * @example kindOf('db1:3301'); // 'server', unless there is a file of this name
 */
export function kindOf(argument: string): PlaceKind {
  const kind = guess(argument);
  if (kind !== undefined) return kind;
  const shown = withoutPassword(argument);
  if (shown !== argument) {
    throw new TntarError('usage', `'${shown}' is neither a file nor the address of a server`, {
      hint: 'an address with a password is user:password@host:port',
    });
  }
  throw new TntarError(
    'usage',
    `file '${shown}' does not exist, and it may be the name of a host`,
    {
      hint: `write ./${shown} for a file, ${shown}:3301 for a server`,
    },
  );
}

/**
 * Returns an argument for a hint that needs the address of a server: without its password, or the word `ADDRESS`
 * if there is none or it names an archive.
 */
export function addressFor(argument: string | undefined): string {
  const isAddress = argument !== undefined && guess(argument) !== 'archive';
  return isAddress ? withoutPassword(argument) : 'ADDRESS';
}

/** Tells whether a file exists that has the name of an archive, or a path. */
export function looksLikeArchive(argument: string): boolean {
  if (!ARCHIVE_NAME.test(argument) && !argument.includes('/')) return false;
  return statOf(argument) !== undefined;
}

/**
 * Tells whether an argument that has to be a server names a file. An argument that can only be an address is one,
 * whatever exists. A file or a folder may have the name of a host, or be in the place of a socket: its contents decide.
 */
function isFileName(argument: string): boolean {
  const hasName = ARCHIVE_NAME.test(argument);
  if (SOCKET_ADDRESS.test(argument) || (ADDRESS.test(argument) && !hasName)) return false;
  const stat = statOf(argument);
  if (stat === undefined) return hasName;
  if (stat.isDirectory()) return argument.includes('/') || holdsDump(argument);
  return stat.isFile() && (hasName || isZstd(argument));
}

/**
 * Checks that an argument is the address of a server, and not the name of a file.
 *
 * @param command - that takes the address, for messages
 * @param hint - what to type instead
 * @throws TntarError of kind `usage`
 */
export function requireServer(argument: string, command: string, hint: string): void {
  if (!isFileName(argument)) return;
  const stat = statOf(argument);
  const what =
    stat === undefined
      ? 'looks like the name of an archive'
      : `is ${stat.isDirectory() ? 'a directory' : 'a file'}`;
  const message = `${argument} ${what}, but ${command} needs the address of a server here`;
  const isHost = /^[\w.-]+$/.test(argument) && !ARCHIVE_NAME.test(argument);
  throw new TntarError('usage', message, {
    hint: isHost ? `${hint}; for a server of this name: ${argument}:3301` : hint,
  });
}

/**
 * Checks that the value of an option that names a file or a folder is not an address with a password: messages about
 * files repeat parts of their paths.
 *
 * @throws TntarError of kind `usage`
 */
export function requirePath(option: string, path: string): void {
  const shown = withoutPassword(path);
  if (shown === path || !/:.*[@/]/s.test(path) || statOf(path) !== undefined) return;
  throw new TntarError(
    'usage',
    `${option} ${shown}: this is the address of a server, not a file name`,
    {
      hint: 'write ./NAME if the file has this name',
    },
  );
}

/** The options that {@link addInput} adds. */
export interface InputFlags {
  input?: string | undefined;
  shard?: number;
}

function shardOf(text: string): number {
  const shard = Number(text);
  if (/^\d+$/.test(text) && shard >= 1 && shard <= MAX_SHARDS) return shard;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_SHARDS}.`);
}

/** The option that chooses a shard. */
export function shardOption(): Option {
  return new Option('--shard <n>', 'read only this shard of an archive of a cluster').argParser(
    shardOf,
  );
}

/** Adds the argument that names the input of a command, and the option that does the same. */
export function addInput(command: Command): Command {
  return command
    .argument('[file]', 'archive or directory to read (default: standard input)')
    .option('-i, --input <file>', 'archive or directory to read; the same as the argument')
    .addOption(shardOption());
}

/**
 * Returns the file that a command reads, from the argument or the option of {@link addInput}.
 *
 * @param instead - what to type if it is the address of a server
 * @returns undefined for standard input
 * @throws TntarError of kind `usage`
 */
export function inputOf(
  argument: string | undefined,
  option: string | undefined,
  command: string,
  instead: (address: string) => string,
): string | undefined {
  if (argument === undefined) return option;
  if (option !== undefined) {
    const other = withoutPassword(argument);
    throw new TntarError('usage', `the input is given twice: ${other} and -i ${option}`, {
      hint: `leave out ${other} or -i ${option}`,
    });
  }
  if (guess(argument) !== 'server') return argument;
  const address = withoutPassword(argument);
  throw new TntarError(
    'usage',
    `${address} is the address of a server, but ${command} reads an archive`,
    {
      hint: instead(address),
    },
  );
}
