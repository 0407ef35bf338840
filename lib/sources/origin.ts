import type { ArchiveFile } from '../archive/input.js';
import { checkInput } from '../archive/input.js';
import {
  aBoolean,
  aReport,
  checkOptions,
  type Kind,
  type Kinds,
  wholeFrom,
} from '../base/option-checks.js';
import type { ItemReadable } from '../flow/item-readable.js';
import { archiveSource } from './archive.js';
import { type FileReading, fileSource } from './archive-file.js';

/** What somebody who reads a backup tells its source. */
export interface Reading {
  /** Counts the bytes of the archive, which go through it as they are read, and how many there will be. */
  countBytes(chunks: AsyncIterable<Buffer>, total?: number): AsyncIterable<Buffer>;
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

/** For messages of those who take one. */
export const AN_ORIGIN: Kind = {
  words: 'an origin, such as archiveOrigin(input) or serverOrigin(connection) gives',
  takes: (value) => typeof value === 'function',
};

const KINDS: Kinds<ArchiveReading> = {
  report: aReport,
  isStrict: aBoolean,
  bytes: wholeFrom(0),
};

/** An archive: its bytes, which are read once, front to back, or a file that can be read from anywhere. */
export type ArchiveInput = AsyncIterable<Uint8Array> | ArchiveFile;

/** How an archive is read, and what is known of it. */
export interface ArchiveReading extends Pick<FileReading, 'report' | 'isStrict'> {
  /** How many bytes a stream will have, where that is known. */
  bytes?: number | undefined;
}

/**
 * An archive, from wherever it can be read.
 *
 * @throws TntarError of kind `usage` for an input or options that are none
 * @example
 * await cat(archiveOrigin(process.stdin), process.stdout, { space: 'users' });
 */
export function archiveOrigin(input: ArchiveInput, reading: ArchiveReading = {}): Origin {
  checkOptions('archiveOrigin', reading, KINDS);
  const { bytes, ...options } = reading;
  checkInput(input);
  return ({ countBytes, wants }) =>
    Symbol.asyncIterator in input
      ? archiveSource(input, (chunks) => countBytes(chunks, bytes), options.isStrict)
      : fileSource(input, { ...options, wants, through: countBytes });
}
