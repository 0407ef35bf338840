import { archiveSource } from './archive.js';
import type { ItemReadable } from './items.js';

/** What somebody who reads a backup tells its source. */
export interface Reading {
  /** Counts the bytes of the archive, which go through it as they are read, and how many there will be. */
  countBytes(chunks: AsyncIterable<Buffer>, total?: number): AsyncIterable<Buffer>;
  /** Hears how many rows there will be, or nearly, from a source that can ask. */
  expect?(rows: number | undefined): void;
  /** False where no row of such a space is needed: a source that can leaves these out. */
  wants(space: string): boolean;
}

/**
 * Begins to read a backup, from wherever it is. So all that is done with one, by a restore, `inspect` and the
 * like, is done with any.
 *
 * @example
 * const begin: Origin = ({ countBytes }) => archiveSource(createReadStream(file), countBytes);
 */
export type Origin = (reading: Reading) => ItemReadable | Promise<ItemReadable>;

/**
 * An archive that is read once, front to back, e.g. from a pipe.
 *
 * @param bytes - how many there are, where that is known
 */
export function archiveOrigin(input: AsyncIterable<Buffer>, bytes?: number): Origin {
  return ({ countBytes }) => archiveSource(input, (chunks) => countBytes(chunks, bytes));
}
