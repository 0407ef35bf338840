import { SERVER_VERSION } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';

/** The first line of what a server says to a new connection, and the salt after it. */
export interface Greeting {
  /** e.g. `2.6.0` */
  version: string;
  major: number;
  minor: number;
  /** Instance uuid; empty where the server sent none. */
  uuid: string;
}

/** The error of a peer that says something else. */
export function notTarantool(where: string, bytes: Buffer): TntarError {
  const shown = JSON.stringify(bytes.subarray(0, 32).toString('latin1'));
  return new TntarError('failure', `${where} is not a supported Tarantool (got ${shown})`, {
    hint: 'use a port of box.cfg.listen, not a console or an HTTP port',
  });
}

/**
 * Reads the greeting.
 *
 * Source: the server's `src/box/iproto_constants.h` and `greeting_encode()` in `src/box/xrow.c`:
 * `Tarantool 2.6.0 (Binary) <uuid>`, padded to 64 bytes.
 */
export function parseGreeting(bytes: Buffer, where: string): Greeting {
  const line = bytes.subarray(0, 64).toString('latin1');
  const match = /^Tarantool (\d+)\.(\d+)\.(\S+) \(Binary\) ([0-9a-f-]*)/.exec(line);
  if (match === null) throw notTarantool(where, bytes);
  const [, major, minor, patch, uuid] = match;
  const version = `${major}.${minor}.${patch}`;
  // It goes into archives, whose readers take no other.
  if (!SERVER_VERSION.test(version)) throw notTarantool(where, bytes);
  return {
    version,
    major: Number(major),
    minor: Number(minor),
    uuid: uuid ?? '',
  };
}
