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

/**
 * How to connect, where to, and how long to wait.
 *
 * @example
 * const server: ConnectionOptions = { ...parseUri('dumper@db1'), password, idleTimeout: 10_000 };
 */
export interface ConnectionOptions extends ConnectOptions {
  /** Milliseconds without a byte from a server that owes us some. Default 60,000; 0: no limit. */
  idleTimeout?: number;
}

const KINDS: Kinds<ConnectionOptions> = {
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

/** An address as a string may hold a password. */
const SERVER: Kind = { ...anObject, isSecret: true };

/**
 * Checks where to connect, and how.
 *
 * @throws TntarError of kind `usage`
 * @example
 * checkServer({ host: 'db1', port: 3301 });
 */
export function checkServer(server: unknown): void {
  checkValue('the server', server, SERVER, 'parseUri(address) makes one of a string');
  checkOptions('the server', server, KINDS);
}

/** The options for a connection that `signal`, where there is one, stops from being made. */
export function withSignal(
  options: ConnectionOptions,
  signal: AbortSignal | undefined,
): ConnectionOptions {
  checkServer(options);
  return signal === undefined ? options : { ...options, signal };
}
