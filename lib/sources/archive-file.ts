import { type ArchiveIndex, readIndex } from '../archive/archive-file.js';
import { sizesOf } from '../archive/entry-sizes.js';
import type { ArchiveFile } from '../archive/input.js';
import { asBuffers } from '../archive/input.js';
import type { FoundEntry, OpenFrom } from '../archive/survey.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import type { LargeMemory } from '../base/large-memory.js';
import type { Report } from '../base/report.js';
import { type ItemReadable, stoppable } from '../flow/item-readable.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import { readArchive } from './archive-stream.js';
import { checkOrder } from './entry-order.js';
import { readFound } from './verified-entries.js';

/**
 * Reads the index of an archive by its seek table.
 *
 * @returns undefined if there is no table or an invalid one: then the archive has to be read from start to
 *   end, which finds the reason
 */
export async function indexOf(
  file: ArchiveFile,
  report: Report,
  signal?: AbortSignal,
): Promise<ArchiveIndex | undefined> {
  try {
    const index = await readIndex(file, signal);
    if (index !== undefined) checkOrder(index.manifest, index.entries);
    return index;
  } catch (error) {
    if (!(error instanceof TntarError) || error.kind !== 'archive') throw error;
    report.warn(`${error.message}; the whole archive is read instead`);
    return undefined;
  }
}

type Wants = (space: string) => boolean;

/** Entries of definitions, and of the spaces that are wanted. */
export function wantedOf({ manifest, entries }: ArchiveIndex, wants: Wants): FoundEntry[] {
  const ids = new Set(manifest.spaces.filter(({ name }) => wants(name)).map(({ id }) => id));
  return entries.filter(
    ({ name }) =>
      name.kind === 'tuples' && (name.spaceId <= SYSTEM_ID_MAX || ids.has(name.spaceId)),
  );
}

async function* readIndexed(
  open: OpenFrom,
  index: ArchiveIndex,
  wanted: readonly FoundEntry[],
  memory?: LargeMemory,
): AsyncGenerator<BackupItem> {
  const { manifest, trailer } = index;
  const { entries: _, ...end } = trailer;
  const counter = new Counter();
  yield { kind: 'start', manifest, sizes: async () => sizesOf(index.trailer.entries) };
  const otherwise = 'is not what the trailer says';
  yield* counter.pass(readFound(open, manifest, wanted, otherwise, memory));
  yield { kind: 'end', ...end, counts: counter.counts };
}

/**
 * Returns some entries of an archive as a stream of items. Nothing else is read or verified.
 *
 * @param entries - entries of the index, in its order, with all or none of each space
 * @returns a stream in object mode; its error is a TntarError of kind `archive` if an entry differs
 *   from the trailer
 */
export function indexedSource(
  open: OpenFrom,
  index: ArchiveIndex,
  entries: readonly FoundEntry[],
): ItemReadable {
  return stoppable((signal) => readIndexed((start) => open(start, signal), index, entries));
}

/** Options for reading an archive in a file; see `ArchiveSourceOptions`. */
interface FileReading {
  wants: Wants;
  through: (bytes: AsyncIterable<Buffer>, total: number) => AsyncIterable<Buffer>;
  report: Report;
  isStrict: boolean;
  memory?: LargeMemory | undefined;
  shard?: number | undefined;
}

/**
 * Yields the items of an archive in a file: all definitions, and the rows of the wanted spaces. Without a usable seek
 * table, or if all spaces are wanted, it is read from start to end.
 */
export async function* readFile(
  file: ArchiveFile,
  { wants, through, report, isStrict, memory, shard }: FileReading,
  signal: AbortSignal,
): AsyncGenerator<BackupItem> {
  const index = await indexOf(file, report, signal);
  if (index === undefined || index.manifest.spaces.every(({ name }) => wants(name))) {
    const bytes = through(asBuffers(file.open(0), signal), file.size);
    for await (const item of readArchive(bytes, { isStrict, memory, shard })) {
      const isKnown = item.kind === 'start' && index !== undefined;
      yield isKnown ? { ...item, sizes: async () => sizesOf(index.trailer.entries) } : item;
    }
    return;
  }
  const wanted = wantedOf(index, wants);
  const bytes = wanted.reduce((sum, { start, end }) => sum + end - start, 0);
  const open: OpenFrom = (start) => through(asBuffers(file.open(start), signal), bytes);
  yield* readIndexed(open, index, wanted, memory);
}
