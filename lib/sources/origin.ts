import { type ArchiveInput, openInput } from '../archive/input.js';
import { MAX_SHARDS } from '../backup/cluster.js';
import type { LargeMemory } from '../base/large-memory.js';
import { aBoolean, aReport, checkOptions, type Kinds, wholeFrom } from '../base/option-checks.js';
import type { ItemReadable } from '../flow/item-readable.js';
import { type ArchiveSourceOptions, openedSource } from './archive.js';

/** The needs of a reader of a backup. */
export interface Reading {
  /** Counts the bytes of the archive, which go through it as they are read, and how many there will be. */
  countBytes(chunks: AsyncIterable<Buffer>, total?: number): AsyncIterable<Buffer>;
  /** False if no row of such a space is needed: then a source leaves them out if it can. */
  wants(space: string): boolean;
  /** The memory of the run, which the reader shares with others. */
  memory?: LargeMemory;
}

/** A {@link Reading} with memory for large rows. */
export type OwnReading = Required<Reading>;

/**
 * Begins to read a backup in any place. So a restore, `verify` and the other commands work with all of them.
 *
 * @example
 * const begin: Origin = ({ countBytes }) => archiveSource(file, { through: countBytes });
 */
export type Origin = (reading: Reading) => ItemReadable | Promise<ItemReadable>;

const KINDS: Kinds<ArchiveReading> = {
  report: aReport,
  isStrict: aBoolean,
  shard: wholeFrom(1, MAX_SHARDS),
  bytes: wholeFrom(0),
};

/** Options for reading an archive. */
export interface ArchiveReading
  extends Pick<ArchiveSourceOptions, 'report' | 'isStrict' | 'shard'> {
  /** The number of bytes of a stream, if known. */
  bytes?: number | undefined;
}

/**
 * An archive, from wherever it can be read.
 *
 * @throws TntarError of kind `usage` for an invalid input, for invalid options, and for a path that cannot be read
 * @example
 * await verifyFrom(archiveOrigin('backup.tar.zst'));
 */
export function archiveOrigin(input: ArchiveInput, reading: ArchiveReading = {}): Origin {
  checkOptions('archiveOrigin', reading, KINDS);
  const { bytes, ...options } = reading;
  const opened = openInput(input);
  return ({ countBytes, wants, memory }) => {
    const through = (chunks: AsyncIterable<Buffer>, total = bytes) => countBytes(chunks, total);
    return openedSource(opened, { ...options, wants, through }, memory);
  };
}
