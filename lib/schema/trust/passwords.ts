import type { Value } from '../../tuple/codec.js';
import { tableOf } from '../catalog/rows.js';

/** The hash of an empty password: `CHAP_SHA1_EMPTY_PASSWORD` of the server's `src/box/user_def.h`. */
const EMPTY_PASSWORD = Buffer.from('vhvewKp0tNyweZQ+cFKAlsyphfg=', 'base64');

/**
 * Returns the hashes of passwords that a user may log in with. Servers before 2.11 accept each method whose name
 * begins with `chap-sha1`, in upper case as well.
 *
 * Source: `user_def_fill_auth_data()` of the server's `src/box/alter.cc`.
 *
 * @param auth - the field of `_user`
 */
export function hashesIn(auth: Value | undefined): Value[] {
  return Object.entries(tableOf(auth))
    .filter(([method]) => method.toLowerCase().startsWith('chap-sha1'))
    .map(([, hash]) => hash);
}

/** Returns true if everybody can log in as a user, because the password is empty. */
export function hasEmptyPassword(auth: Value | undefined): boolean {
  return hashesIn(auth).some((hash) => typeof hash === 'string' && isOfNothing(hash));
}

/**
 * Returns true for the hash of an empty password. A server reads as many bytes of base64 as it needs, and ignores the
 * rest: `base64_decode()`.
 */
function isOfNothing(hash: string): boolean {
  const bytes = Buffer.from(hash, 'base64').subarray(0, EMPTY_PASSWORD.length);
  return bytes.equals(EMPTY_PASSWORD);
}
