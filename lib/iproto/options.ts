import { defined } from '../base/defined.js';
import { TntarError } from '../base/errors.js';
import {
  aNumber,
  anObject,
  aPassword,
  aSignal,
  aText,
  checkOptions,
  checkValue,
  type Kind,
  type Kinds,
  wholeFrom,
} from '../base/option-checks.js';
import type { ConnectOptions } from './driver.js';
import { parseUri } from './uri.js';

/**
 * How to connect, where to, and how long to wait.
 *
 * @example
 * const server: ConnectionOptions = { address: 'dumper@db1', password, idleTimeout: 10_000 };
 */
export interface ConnectionOptions extends ConnectOptions {
  /** An address in place of `host`, `port` and `path`; see {@link parseUri}. */
  address?: string;
  /** Milliseconds without a byte from a server that owes us some. Default 60,000; 0: no limit. */
  idleTimeout?: number;
}

/**
 * A server: its address, or the options of a connection to it.
 *
 * @example
 * const servers: Server[] = ['dumper:secret@db1:3301', { address: 'db1:3301', user: 'dumper', password }];
 */
export type Server = string | ConnectionOptions;

const KINDS: Kinds<ConnectionOptions> = {
  address: aPassword,
  host: aText,
  port: wholeFrom(1, 65_535),
  path: aText,
  user: aText,
  password: aPassword,
  connectTimeout: aNumber,
  idleTimeout: aNumber,
  signal: aSignal,
  tls: anObject,
};

/** The check of a server. An address may hold a password. */
export const SERVER: Kind = {
  words: 'an address, such as db1:3301, or an object',
  takes: (value) => typeof value === 'string' || anObject.takes(value),
  isSecret: true,
};

const PLACES = ['host', 'port', 'path'] as const;

/**
 * Checks where to connect, and how.
 *
 * @returns the options, with a host and port or a path in place of an address
 * @throws TntarError of kind `usage`
 * @example
 * serverOptions('db1:3301'); // { host: 'db1', port: 3301 }
 */
export function serverOptions(server: Server): ConnectionOptions {
  checkValue('the server', server, SERVER, 'an address is [user[:password]@]host[:port]');
  if (typeof server === 'string') return parseUri(server);
  checkOptions('the server', server, KINDS);
  const { address, ...options } = server;
  if (address === undefined) return options;
  const place = PLACES.find((name) => options[name] !== undefined);
  if (place === undefined) return { ...parseUri(address), ...options };
  throw new TntarError('usage', `the server has both an address and the option '${place}'`, {
    hint: `leave out '${place}'`,
  });
}

/** Returns the options for a connection. `signal`, if there is one, stops its making. */
export function withSignal(server: Server, signal: AbortSignal | undefined): ConnectionOptions {
  return { ...serverOptions(server), ...defined({ signal }) };
}
