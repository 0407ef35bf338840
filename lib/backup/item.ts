import type { TupleBatch } from './batch.js';
import type { Cluster } from './cluster.js';
import type { Manifest } from './manifest.js';
import type { Vclock } from './vclock.js';

/** Rows of one space. */
export interface Count {
  rows: number;
  /** The number of bytes of MessagePack, uncompressed. */
  bytes: number;
}

/** Figures of the rows of one space, known before the rows come. They may be a little off. */
export interface Size extends Count {
  /** Bytes of the largest row; absent if unknown. */
  largest?: number;
  /** Bytes that a row can have at most; absent if unknown. */
  atMost?: number;
}

/** Questions that a source answers about the rows that will come. */
export interface Outlook {
  /** Returns figures by space id; absent if the source has none. */
  sizes?: () => Promise<ReadonlyMap<number, Size>>;
  /** Has a live source look at all rows of some spaces. Returns bytes of the largest row, by space id. */
  largestRows?: (spaces: readonly number[]) => Promise<ReadonlyMap<number, number>>;
}

/** The first item of every source: a description of all that follows. */
export interface BackupStart extends Outlook {
  kind: 'start';
  manifest: Manifest;
  /** Set if the backup is a cluster as one database. */
  cluster?: Cluster;
}

/** The value that a sequence must have after a restore. */
export interface SequenceValue {
  /** The id of the sequence in `_sequence`. */
  id: number;
  /** Decimal: it may have 64 bits. */
  value: string;
}

/** The counts of one filter for the rows of one space. */
export interface Filtered {
  /** The name of the filter, e.g. of its file. */
  filter: string;
  /** The name of the space. */
  space: string;
  in: number;
  /** Rows that another one took the place of. */
  changed: number;
  /** Rows that nothing took the place of. */
  skipped: number;
  out: number;
}

/**
 * The reason why rows may be rolled back: `waiting` if synchronous transactions waited for a quorum while rows
 * were read, `unknown` if it could not be found out whether any did.
 */
export type Unconfirmed = 'waiting' | 'unknown';

/** The last item of every source. A stream without it is incomplete, even if it ended without an error. */
export interface BackupEnd {
  kind: 'end';
  /** The vclock of the server at the end of reading. */
  vclock: Vclock;
  /** True if all rows are from one moment, and committed. */
  consistent: boolean;
  /** The reason why they may not be committed; absent if they are. Only servers say it: no archive keeps it. */
  unconfirmed?: Unconfirmed | undefined;
  /** The values at the end of sequences that advanced while the rows were read. */
  sequences?: SequenceValue[];
  /** The counts of filters, in their order. */
  filtered?: Filtered[];
  /** Set if nothing proves that the backup is complete: a directory of the Lua module has no trailer. */
  unvouched?: true;
  /** The counts of the source by space id. Every sink compares them with its own. */
  counts: Map<number, Count>;
}

/**
 * What flows from a source through filters to a sink: one start, batches of tuples (all batches of a
 * space in a row, system spaces first and ascending by id), one end.
 *
 * @example
 * const rowsOf = (item: BackupItem): number => (item.kind === 'tuples' ? item.count : 0);
 */
export type BackupItem = BackupStart | TupleBatch | BackupEnd;

/** The counts of a space without rows. */
export const NO_ROWS: Readonly<Count> = { rows: 0, bytes: 0 };

/** Adds up batches by space. */
export class Counter {
  readonly counts = new Map<number, Count>();

  add(batch: TupleBatch): void {
    const count = this.counts.get(batch.space.id) ?? { rows: 0, bytes: 0 };
    count.rows += batch.count;
    count.bytes += batch.bytes.length;
    this.counts.set(batch.space.id, count);
  }

  /** Adds up the given batches. */
  *passAll(batches: Iterable<TupleBatch>): Generator<TupleBatch> {
    for (const batch of batches) {
      this.add(batch);
      yield batch;
    }
  }

  /** Hands batches through and adds each up. */
  async *pass(
    batches: Iterable<TupleBatch> | AsyncIterable<TupleBatch>,
  ): AsyncGenerator<TupleBatch> {
    for await (const batch of batches) {
      this.add(batch);
      yield batch;
    }
  }
}

/**
 * Finds the first space in which two counts differ.
 *
 * @returns e.g. `space 512: 10 rows were read, 9 arrived`; undefined if all are equal
 */
export function countsDiffer(
  read: ReadonlyMap<number, Count>,
  arrived: ReadonlyMap<number, Count>,
): string | undefined {
  for (const id of new Set([...read.keys(), ...arrived.keys()])) {
    const a = read.get(id) ?? NO_ROWS;
    const b = arrived.get(id) ?? NO_ROWS;
    if (a.rows !== b.rows || a.bytes !== b.bytes) {
      return `space ${id}: ${a.rows} rows (${a.bytes} bytes) were read, ${b.rows} (${b.bytes}) arrived`;
    }
  }
  return undefined;
}
