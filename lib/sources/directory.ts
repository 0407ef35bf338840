import { createHash } from 'node:crypto';
import { MANIFEST, TRAILER } from '../archive/entries.js';
import { sizesOf } from '../archive/entry-sizes.js';
import { decodeManifest } from '../archive/manifest-json.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  type Trailer,
} from '../archive/trailer.js';
import type { SpaceInfo } from '../backup/batch.js';
import { type BackupItem, Counter } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { LargeMemory } from '../base/large-memory.js';
import { aReport, aSignal, checkOptions, type Kinds } from '../base/option-checks.js';
import { listOf, quoted, type Report, silent } from '../base/report.js';
import { type ItemReadable, itemReadable } from '../flow/item-readable.js';
import { EntryOrder, misfit } from './entry-order.js';
import { Folder, namedFile } from './folder.js';
import { readModule } from './lua-module.js';
import type { Origin, OwnReading, Reading } from './origin.js';
import { type Whole, wholeTuples } from './tuple-file.js';

/** @returns undefined for a directory of the Lua module, which has neither manifest nor trailer */
async function trailerOf(folder: Folder): Promise<Trailer | undefined> {
  if (folder.has(TRAILER)) return decodeTrailer(await folder.readSmall(TRAILER));
  if (!folder.has(MANIFEST) && folder.files.every(({ name }) => name.endsWith('.dump'))) {
    return undefined;
  }
  throw new TntarError('archive', 'the directory has the files of an archive but no trailer', {
    hint: 'this is not a backup: it was not unpacked to the end, or the archive was cut',
  });
}

/** Reads a file to its end, and returns the facts that the trailer must have about it. */
async function recordOf(
  folder: Folder,
  name: string,
  isRows: boolean,
  memory: LargeMemory,
): Promise<EntryRecord> {
  const hash = createHash('sha256');
  let [rows, bytes] = [0, 0];
  const hashed = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const chunks = hashed(folder.read(name));
  if (isRows) {
    for await (const { count, release } of wholeTuples(chunks, name, memory)) {
      rows += count;
      release();
    }
  } else for await (const _ of chunks);
  return { name, rows, bytes, sha256: hash.digest('hex') };
}

/** Refuses files that the trailer does not list: they belong to another backup, or to none. */
function checkFiles(folder: Folder, entries: readonly EntryRecord[]): void {
  const listed = new Set([TRAILER, ...entries.map(({ name }) => name)]);
  const extra = folder.files.find(({ name }) => !listed.has(name));
  if (extra !== undefined) throw misfit(`${extra.name} exists, but the trailer does not list it`);
  const missing = entries.find(({ name }) => !folder.has(name));
  if (missing !== undefined) throw misfit(`${quoted(missing.name)} is missing`);
}

/** The files of an archive, each compared with the trailer before the first row of it is handed out. */
async function* readUnpacked(
  folder: Folder,
  trailer: Trailer,
  { countBytes, wants, memory }: OwnReading,
): AsyncGenerator<BackupItem> {
  const { entries, ...end } = trailer;
  checkFiles(folder, entries);
  const [first, ...rest] = entries;
  if (first?.name !== MANIFEST) throw misfit('the trailer lists no manifest as the first entry');
  compareEntries([await recordOf(folder, MANIFEST, false, memory)], [first]);
  const manifest: Manifest = decodeManifest(await folder.readSmall(MANIFEST));
  const order = new EntryOrder(manifest);
  const counter = new Counter();
  yield { kind: 'start', manifest, sizes: async () => sizesOf(rest) };
  for (const promised of rest) {
    const { name } = promised;
    const entry = namedFile(name)?.entry;
    if (entry === undefined) throw misfit(`the trailer lists ${quoted(name)}`);
    const space = order.accept({ name: entry, record: promised });
    compareEntries([await recordOf(folder, name, true, memory)], [promised]);
    if (!wants(space.name) && manifest.spaces.some(({ id }) => id === space.id)) continue;
    yield* counter.pass(batches(wholeTuples(countBytes(folder.read(name)), name, memory), space));
  }
  yield { kind: 'end', ...end, counts: counter.counts };
}

/** The rows of a file, as items. */
async function* batches(tuples: AsyncIterable<Whole>, space: SpaceInfo) {
  for await (const whole of tuples) {
    yield { kind: 'tuples' as const, space, ...whole };
  }
}

/** @param path - of the directory, which may be a link; its files may not */
async function* readDirectory(
  path: string,
  reading: Reading,
  report: Report,
): AsyncGenerator<BackupItem> {
  yield* readFolder(await Folder.open(path), reading, report);
}

/** Reads the files of a folder, wherever they are. */
export async function* readFolder(
  folder: Folder,
  reading: Reading,
  report: Report,
): AsyncGenerator<BackupItem> {
  if (folder.others.length > 0) report.warn(`passed over: ${listOf(folder.others)}`);
  const trailer = await trailerOf(folder);
  const own = { memory: new LargeMemory(), ...reading };
  if (trailer !== undefined) yield* readUnpacked(folder, trailer, own);
  else yield* readModule(folder, own, report);
}

/**
 * Returns a directory as the origin of a backup: that of the Lua module `tarantool/dump`, or an unpacked archive.
 *
 * @param report - gets warnings about contents that cannot be verified
 * @example
 * const begin = directoryOrigin('/backup/dump', report);
 */
export function directoryOrigin(path: string, report: Report): Origin {
  return (reading) => itemReadable(readDirectory(path, reading, report), () => {});
}

/** Options for reading a directory as items. */
export interface DirectorySourceOptions {
  /** Hears of warnings; by default, nothing does. */
  report?: Report;
  /** Destroys the stream. */
  signal?: AbortSignal;
}

const KINDS: Kinds<DirectorySourceOptions> = { report: aReport, signal: aSignal };

/**
 * Returns as a stream of items a directory that the Lua module `tarantool/dump` wrote, or an unpacked archive, which
 * is verified by its trailer. Nothing shows whether a directory of the module is whole: the report gets a warning, and
 * the end is `unvouched`.
 *
 * @param path - of the directory
 * @param options - their report gets warnings about contents that cannot be verified
 * @returns a stream in object mode; its error is a TntarError of kind `archive` for anything but such a
 *   directory
 * @example
 * await pipeline(directorySource('/backup/dump', { report }), serverSink(connection));
 */
export function directorySource(path: string, options: DirectorySourceOptions = {}): ItemReadable {
  checkOptions('directorySource', options, KINDS);
  const { report = silent, signal } = options;
  const reading: Reading = { countBytes: (chunks) => chunks, wants: () => true };
  return itemReadable(readDirectory(path, reading, report), () => {}, signal);
}
