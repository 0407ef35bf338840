import type { Value } from '../../tuple/codec.js';
import type { Release } from '../server/release.js';
import { MAX_NAME_BYTES } from '../server/system-spaces.js';
import type { IndexedSpace } from './indexes.js';

/**
 * Returns the reason why a server refuses a name. Source: `identifier_check()` of the server's
 * `src/box/identifier.c`.
 */
export function nameProblem(name: Value | undefined): string | undefined {
  const text = String(name);
  if (text === '') return 'its name is empty';
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) {
    return `its name has more than ${MAX_NAME_BYTES} bytes`;
  }
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)
    ? 'its name has a character that is not printable'
    : undefined;
}

/** The context of a row of a system space. */
export interface Around {
  /** The release of the target. */
  release: Release;
  /** Ids of the collations that the target will have. */
  collations: ReadonlySet<Value>;
  spaces: ReadonlyMap<Value, IndexedSpace>;
  /** Rows of `_index` of primary indexes, by the id of the space. */
  primaryKeys: ReadonlyMap<Value, readonly Value[]>;
  sequences: ReadonlyMap<Value, readonly Value[]>;
}

/** Finds the reason why a server refuses a row of a system space; undefined if it does not. */
export type Check = (fields: readonly Value[], around: Around) => string | undefined;
