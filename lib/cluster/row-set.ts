import { createHash } from 'node:crypto';
import { eachTuple } from '../backup/batch.js';

/** Words of 32 bits of a sum. */
const WORDS = 4;

/**
 * What is known of a set of rows without holding it: two that are equal have the same rows, in whatever order they came.
 * Each row counts with 128 bits of its SHA-256, which are added up.
 *
 * @example
 * const rows = new RowSet();
 * rows.add(batch.bytes);
 * rows.equals(others);
 */
export class RowSet {
  readonly #sums = new Uint32Array(WORDS);
  #count = 0;

  /** @param bytes - whole tuples, raw */
  add(bytes: Buffer): void {
    for (const tuple of eachTuple(bytes)) {
      const digest = createHash('sha256').update(tuple).digest();
      for (let i = 0; i < WORDS; i++) this.#sums[i]! += digest.readUInt32LE(4 * i);
      this.#count++;
    }
  }

  equals(other: RowSet): boolean {
    return this.#count === other.#count && this.#sums.every((sum, i) => sum === other.#sums[i]);
  }
}
