import {
  type ArchiveFile,
  type ArchiveInput,
  asBuffers,
  isFile,
  openInput,
} from '../archive/input.js';
import { MAX_SHARDS } from '../backup/cluster.js';
import type { LargeMemory } from '../base/large-memory.js';
import {
  aBoolean,
  aFunction,
  aReport,
  aSignal,
  checkOptions,
  type Kinds,
  wholeFrom,
} from '../base/option-checks.js';
import { type Report, silent } from '../base/report.js';
import { type ItemReadable, stoppable } from '../flow/item-readable.js';
import { readFile } from './archive-file.js';
import { readArchive } from './archive-stream.js';

/** Options for reading an archive as items. */
export interface ArchiveSourceOptions {
  /** False for spaces whose rows are not needed. With a seek table they are not read; otherwise they come all the same. */
  wants?: (space: string) => boolean;
  /** A stage for the bytes, e.g. to count them, with the number of those that will be read, if known. */
  through?: (bytes: AsyncIterable<Buffer>, total?: number) => AsyncIterable<Buffer>;
  /** Hears of a seek table that cannot be used. */
  report?: Report;
  /** True if a wrong seek table is an error even if the whole archive is read; no row depends on the table. */
  isStrict?: boolean;
  /** The shard to read of an archive of a cluster, from 1; by default all shards as one database. */
  shard?: number | undefined;
  /** Destroys the stream, and closes the archive. */
  signal?: AbortSignal;
}

const KINDS: Kinds<ArchiveSourceOptions> = {
  wants: aFunction,
  through: aFunction,
  report: aReport,
  isStrict: aBoolean,
  shard: wholeFrom(1, MAX_SHARDS),
  signal: aSignal,
};

/**
 * Reads an archive as a stream of items. Each batch is one verified part, of some 2 MiB. The end comes only after the
 * trailer has confirmed all of them. If some spaces of a file are wanted, its seek table leads to all definitions and to
 * the rows of these spaces; nothing else is read, nor verified.
 *
 * @param input - if it is a stream, it is closed when the source is destroyed
 * @returns a stream in object mode; its error is a TntarError of kind `archive` for anything but a whole
 *   archive, and an AbortError after the signal
 * @throws TntarError of kind `usage` for invalid options, and a path that cannot be read
 * @example
 * for await (const item of archiveSource('backup.tar.zst', { wants: (space) => space === 'users' })) {
 *   if (item.kind === 'tuples') console.log(item.space.name, item.count);
 * }
 */
export function archiveSource(
  input: ArchiveInput,
  options: ArchiveSourceOptions = {},
): ItemReadable {
  checkOptions('archiveSource', options, KINDS);
  return openedSource(openInput(input), options);
}

/** Reads an archive that is open; see {@link archiveSource}. */
export function openedSource(
  opened: ArchiveFile | AsyncIterable<Uint8Array>,
  options: ArchiveSourceOptions,
  memory?: LargeMemory,
): ItemReadable {
  const { through = (bytes) => bytes, wants = () => true, isStrict = false } = options;
  const { report = silent, signal, shard } = options;
  return stoppable(
    (stop) =>
      isFile(opened)
        ? readFile(opened, { wants, through, report, isStrict, memory, shard }, stop)
        : readArchive(through(asBuffers(opened, stop)), { isStrict, memory, shard }),
    signal,
  );
}
