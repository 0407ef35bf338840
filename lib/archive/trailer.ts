import { createHash } from 'node:crypto';
import type { Filtered, SequenceValue } from '../backup/item.js';
import type { Vclock } from '../backup/vclock.js';
import { defined } from '../base/defined.js';
import { TntarError } from '../base/errors.js';
import { quoted, shorten } from '../base/report.js';
import { JsonReader, readable } from './json.js';
import { checkFormat, FORMAT_NAME, FORMAT_VERSION, vclockOf } from './manifest-json.js';

/** The facts of one entry in the trailer. */
export interface EntryRecord {
  name: string;
  rows: number;
  /** Size of the body. */
  bytes: number;
  /** The hash of the body, hexadecimal. */
  sha256: string;
  /** Bytes of the largest tuple, where the writer knew; no row depends on it. */
  largest?: number;
}

/** The last entry of an archive: without it, the rest is no backup. */
export interface Trailer {
  /** All entries in front of the trailer, in their order. */
  entries: EntryRecord[];
  /** The vclock of the server at the end of reading. */
  vclock: Vclock;
  /** False if rows were read while others were written, and not from one read view. */
  consistent: boolean;
  /** Sequences that moved while the rows were read: where they stood at the end. */
  sequences?: SequenceValue[];
  /** The counts of filters, in their order. */
  filtered?: Filtered[];
}

/** SHA-256 over one line an entry: `name rows bytes sha256\n`. */
export function hashEntries(entries: readonly EntryRecord[]): string {
  const hash = createHash('sha256');
  for (const entry of entries) {
    hash.update(`${entry.name} ${entry.rows} ${entry.bytes} ${entry.sha256}\n`);
  }
  return hash.digest('hex');
}

/** Sums over entries. */
export function totals(entries: readonly EntryRecord[]): { rows: number; bytes: number } {
  let rows = 0;
  let bytes = 0;
  for (const entry of entries) {
    rows += entry.rows;
    bytes += entry.bytes;
  }
  return { rows, bytes };
}

/** @throws TntarError of kind `failure` for one that {@link decodeTrailer} would refuse */
export function encodeTrailer(trailer: Trailer): Buffer {
  const { entries, vclock, consistent, sequences, filtered } = trailer;
  const document = {
    format: FORMAT_NAME,
    version: FORMAT_VERSION,
    vclock,
    consistent,
    ...defined({ sequences, filtered }),
    ...totals(entries),
    sha256: hashEntries(entries),
    entries,
  };
  return readable('trailer.json', Buffer.from(`${JSON.stringify(document)}\n`), decodeTrailer);
}

/**
 * Reads the records of a trailer.
 *
 * @throws TntarError of kind `archive` also if the sums do not add up
 */
export function entriesOf(json: JsonReader): EntryRecord[] {
  const entries = json.objects('entries').map((entry) => ({
    name: entry.string('name'),
    rows: entry.count('rows'),
    bytes: entry.count('bytes'),
    sha256: entry.string('sha256'),
    ...(entry.has('largest') ? { largest: entry.count('largest') } : {}),
  }));
  const sums = totals(entries);
  if (sums.rows !== json.count('rows') || sums.bytes !== json.count('bytes')) {
    throw new TntarError('archive', 'trailer.json: the totals are not the sum of the entries');
  }
  if (hashEntries(entries) !== json.string('sha256')) {
    throw new TntarError('archive', 'trailer.json: the hash over the list of entries differs');
  }
  return entries;
}

/** @throws TntarError of kind `archive` also if the sums do not add up */
export function decodeTrailer(bytes: Buffer): Trailer {
  const json = JsonReader.parse(bytes, 'trailer.json');
  checkFormat(json);
  return {
    entries: entriesOf(json),
    vclock: vclockOf(json),
    consistent: json.boolean('consistent'),
    ...(json.has('sequences') ? { sequences: json.objects('sequences').map(sequenceValue) } : {}),
    ...(json.has('filtered') ? { filtered: json.objects('filtered').map(filteredRows) } : {}),
  };
}

function filteredRows(json: JsonReader): Filtered {
  return {
    filter: json.string('filter'),
    space: json.string('space'),
    in: json.count('in'),
    changed: json.count('changed'),
    skipped: json.count('skipped'),
    out: json.count('out'),
  };
}

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

function sequenceValue(json: JsonReader): SequenceValue {
  const value = json.string('value');
  if (!/^-?\d{1,20}$/.test(value) || BigInt(value) < INT64_MIN || BigInt(value) > UINT64_MAX) {
    throw new TntarError('archive', `trailer.json: ${quoted(value)} is no value of a sequence`);
  }
  return { id: json.count('id'), value };
}

/** True if two say the same of one entry. */
export function isSameEntry(a: EntryRecord, b: EntryRecord): boolean {
  return a.name === b.name && a.rows === b.rows && a.bytes === b.bytes && a.sha256 === b.sha256;
}

/** Returns the first fact of an entry that differs from the trailer. */
export function compareEntries(
  seen: readonly EntryRecord[],
  promised: readonly EntryRecord[],
): void {
  const count = Math.max(seen.length, promised.length);
  for (let i = 0; i < count; i++) {
    const got = seen[i];
    const expected = promised[i];
    if (got === undefined || expected === undefined || got.name !== expected.name) {
      throw new TntarError(
        'archive',
        `entry ${i + 1}: the trailer expects ${shorten(expected?.name ?? 'none')}, got ${got?.name ?? 'none'}`,
      );
    }
    for (const key of ['rows', 'bytes', 'sha256'] as const) {
      if (got[key] !== expected[key]) {
        throw new TntarError(
          'archive',
          `entry ${got.name}: ${key} should be ${shorten(`${expected[key]}`)}, got ${got[key]}`,
        );
      }
    }
  }
}
