import { type Count, NO_ROWS } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { parseEntryName } from './entries.js';
import { type ArchiveFile, asBuffers } from './input.js';
import { decodeManifest } from './manifest-json.js';
import { type Entry, EntryReader } from './reader.js';
import {
  FOOTER_BYTES,
  type FramePlace,
  FramePlaces,
  tableBytesOf,
  wrongTable,
} from './seek-table.js';
import type { FoundEntry, OpenFrom } from './survey.js';
import { BLOCK_BYTES, END_OF_TAR, padding } from './tar.js';
import { decodeTrailer, type EntryRecord, isSameEntry, type Trailer } from './trailer.js';

/** The contents of an archive by its manifest and trailer. Only the entries prove it. */
export interface ArchiveIndex {
  manifest: Manifest;
  trailer: Trailer;
  /** All between manifest and trailer, in order, and where they stand. */
  entries: FoundEntry[];
}

/** Reads `bytes` bytes, of which there are as many. */
async function readAt(open: OpenFrom, start: number, bytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let left = bytes;
  for await (const chunk of open(start)) {
    pieces.push(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
    if (left === 0) return Buffer.concat(pieces);
  }
  throw new TntarError('archive', 'the archive became shorter while it was read');
}

async function readTable(open: OpenFrom, size: number): Promise<FramePlaces | undefined> {
  if (size < FOOTER_BYTES) return undefined;
  const bytes = tableBytesOf(await readAt(open, size - FOOTER_BYTES, FOOTER_BYTES));
  if (bytes === undefined) return undefined;
  const start = size - bytes;
  if (start < 0) throw wrongTable('it is larger than the archive');
  return new FramePlaces(await readAt(open, start, bytes), start);
}

/** Header and body of one entry. */
type EntryFrames = readonly [FramePlace, FramePlace];

function entryFrames(frames: FramePlaces, i: number): EntryFrames {
  return [frames.at(2 * i), frames.at(2 * i + 1)];
}

/** Returns the number of entries, with the trailer. */
function countEntries(frames: FramePlaces): number {
  const { length } = frames;
  if (length >= 5 && length % 2 === 1 && frames.at(length - 1).contentBytes === END_OF_TAR.length) {
    return (length - 1) / 2;
  }
  throw wrongTable('its frames do not match an archive');
}

/** Returns true if header and body have the sizes of such an entry. */
function fits([head, body]: EntryFrames, { bytes }: EntryRecord): boolean {
  return head.contentBytes === BLOCK_BYTES && body.contentBytes === bytes + padding(bytes).length;
}

async function readEntry(open: OpenFrom, frames: EntryFrames): Promise<Entry> {
  const [head, body] = frames;
  const reader = new EntryReader(open(head.start), head.start);
  try {
    const entry = await reader.next();
    const isThere = entry.start === head.start && entry.end === body.end;
    if (isThere && fits(frames, entry.record)) return entry;
    throw wrongTable(`entry ${entry.record.name} has another place or size`);
  } finally {
    await reader.close();
  }
}

/** Joins the list of the trailer with the seek table for all entries after the manifest. */
function placed({ entries }: Trailer, frames: FramePlaces): FoundEntry[] {
  const count = countEntries(frames);
  if (count !== entries.length + 1) {
    throw wrongTable(`it has ${count} entries, and the trailer ${entries.length + 1}`);
  }
  return entries.slice(1).map((record, i) => {
    const [head, body] = entryFrames(frames, i + 1);
    if (!fits([head, body], record)) {
      throw wrongTable(`entry ${i + 2} has other sizes in the trailer`);
    }
    const name = parseEntryName(record.name);
    if (name === undefined) throw wrongTable(`entry ${i + 2} has an invalid name`);
    return { name, record, start: head.start, end: body.end };
  });
}

/**
 * Reads the seek table, the trailer and the manifest, and nothing of what stands between them.
 *
 * @param signal - closes what is read, also while it is silent
 * @returns undefined if there is no table, as in archives of before there were any, and for an archive of a cluster
 * @throws TntarError of kind `archive` if there is one, and it does not fit the archive or what was read
 *   of that is damaged; the archive may be whole all the same, which reading it from start to end tells
 * @example
 * const index = await readIndex(file);
 * index?.trailer.entries.length;
 */
export async function readIndex(
  file: ArchiveFile,
  signal?: AbortSignal,
): Promise<ArchiveIndex | undefined> {
  const open: OpenFrom = (start) => asBuffers(file.open(start), signal);
  const frames = await readTable(open, file.size);
  if (frames === undefined) return undefined;
  const first = await readEntry(open, entryFrames(frames, 0));
  if (first.name.kind === 'cluster') return undefined;
  const last = await readEntry(open, entryFrames(frames, countEntries(frames) - 1));
  if (last.name.kind !== 'trailer') throw wrongTable('there is no trailer at its place');
  const trailer = decodeTrailer(last.body);
  const entries = placed(trailer, frames);
  const [promised] = trailer.entries;
  if (
    first.name.kind !== 'manifest' ||
    promised === undefined ||
    !isSameEntry(first.record, promised)
  ) {
    throw wrongTable('the trailer does not match the manifest');
  }
  return { manifest: decodeManifest(first.body), trailer, entries };
}

/** Rows and bytes by space, as the trailer has them. */
export function countsOf({ entries }: ArchiveIndex): Map<number, Count> {
  const counts = new Map<number, Count>();
  for (const { name, record } of entries) {
    if (name.kind !== 'tuples') continue;
    const { rows, bytes } = counts.get(name.spaceId) ?? NO_ROWS;
    counts.set(name.spaceId, { rows: rows + record.rows, bytes: bytes + record.bytes });
  }
  return counts;
}
