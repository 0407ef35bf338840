import { skip } from '../tuple/msgpack.js';
import type { Cursor } from './cursor.js';
import type { KeyReader, Pairing } from './key.js';

/** A different row. Without `after` it was removed, and without `before` it was added. */
export interface RowDifference {
  /** The name of its space. */
  space: string;
  /** The row in MessagePack; valid until the call that receives it returns or its promise settles. */
  before?: Buffer;
  after?: Buffer;
}

/** The numbers of equal and different rows of one space. */
export interface RowCounts {
  removed: number;
  added: number;
  /** Rows with a key on both sides and different other fields. */
  changed: number;
  equal: number;
}

/** Called with each different row. */
export type OnRow = (row: RowDifference) => void | Promise<void>;

/** Shorter ranges are compared byte by byte, because a call out of JavaScript costs more. */
const NEAR_BYTES = 128;

const isSame = (a: Cursor, b: Cursor, from: number, to: number): boolean =>
  a.bytes.compare(b.bytes, b.offset + from, b.offset + to, a.offset + from, a.offset + to) === 0;

/** Returns the number of equal bytes from the current rows on, at most `size`. */
function sameBytes(a: Cursor, b: Cursor, size: number): number {
  if (isSame(a, b, 0, size)) return size;
  const near = Math.min(size, NEAR_BYTES);
  for (let i = 0; i < near; i++) if (a.bytes[a.offset + i] !== b.bytes[b.offset + i]) return i;
  let low = near;
  let high = Math.min(size, 2 * near);
  while (high < size && isSame(a, b, low, high)) {
    low = high;
    high = Math.min(size, 2 * high);
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (isSame(a, b, low, middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Skips rows that are equal on both sides, in bulk, up to the end of a piece.
 *
 * @returns the number of skipped rows
 */
function skipSame(a: Cursor, b: Cursor): number {
  const size = Math.min(a.room, b.room);
  const same = sameBytes(a, b, size);
  if (same === size) {
    // The end of a piece is also the end of a row on the other side.
    const rows = size === a.room ? a.left : b.left;
    a.advance(a.offset + size, rows);
    b.advance(b.offset + size, rows);
    return rows;
  }
  let rows = 0;
  let end = a.offset;
  const limit = a.offset + same;
  // The last row of a piece ends with the piece. That is after the limit, and the row may be long.
  const most = Math.min(a.left, b.left) - 1;
  for (let next = end; rows < most; rows++, end = next) {
    next = skip(a.bytes, end, limit);
    if (next < 0) break;
  }
  b.advance(b.offset + end - a.offset, rows);
  a.advance(end, rows);
  return rows;
}

/** Options of a merge. Without any, rows are only counted. */
export interface MergeOptions {
  /** Reads the keys of long rows; undefined if rows have no key, and whole rows are compared. */
  keys?: KeyReader | undefined;
  /** Called with each different row. */
  onRow?: OnRow | undefined;
  /**
   * Called instead of `onRow` with rows that only one side has so far, and that the other side may still have if
   * there is no order; and with changed rows if `onRow` is set.
   */
  keep?: OnRow | undefined;
  /** Called if a side, 0 or 1, is not in the order of the keys; undefined for rows that were sorted here. */
  onDisorder?: ((side: 0 | 1) => void) | undefined;
}

/** Compares the rows of a space that both sides have in the order of their keys. */
export class Merge {
  readonly #space: string;
  readonly #compare: Pairing['compare'];
  readonly #options: MergeOptions;
  readonly counts: RowCounts = { removed: 0, added: 0, changed: 0, equal: 0 };

  constructor(space: string, compare: Pairing['compare'], options: MergeOptions = {}) {
    this.#space = space;
    this.#compare = compare;
    this.#options = options;
  }

  /** Skips equal rows at the start, in any order. */
  async start(a: Cursor, b: Cursor): Promise<void> {
    while ((await a.fill()) && (await b.fill())) {
      const rows = skipSame(a, b);
      if (rows === 0) return;
      this.counts.equal += rows;
    }
  }

  async run(a: Cursor, b: Cursor): Promise<void> {
    const { counts } = this;
    const { onRow, keep = onRow } = this.#options;
    while ((a.left > 0 || (await a.fill())) && (b.left > 0 || (await b.fill()))) {
      const same = skipSame(a, b);
      counts.equal += same;
      if (same > 0) continue;
      const isLong = a.isLong || b.isLong;
      if (isLong) {
        await this.#readKey(a);
        await this.#readKey(b);
      }
      this.#check(a, 0);
      this.#check(b, 1);
      const order = isLong
        ? this.#compareLong(a, b)
        : this.#compare(a.bytes, a.offset, b.bytes, b.offset);
      const [left, right] = [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
      const isCounted = order === 0 && onRow === undefined;
      const waits = this.#take(left, right, isCounted ? undefined : keep);
      if (waits !== undefined) await waits;
    }
    await this.#rest(a, 'removed', counts.added > 0);
    await this.#rest(b, 'added', counts.removed > 0);
  }

  async #readKey(cursor: Cursor): Promise<void> {
    const { keys } = this.#options;
    if (keys !== undefined) await cursor.readKey(keys);
  }

  #compareLong(a: Cursor, b: Cursor): number {
    const { keys } = this.#options;
    if (keys !== undefined) return keys.compare(a.key(keys), b.key(keys));
    return a.bytes.compare(b.bytes, b.offset, b.end, a.offset, a.end);
  }

  /** Checks that the current row comes after those before it. */
  #check(cursor: Cursor, side: 0 | 1): void {
    const { onDisorder, keys } = this.#options;
    if (onDisorder !== undefined && !cursor.mark(this.#compare, keys)) onDisorder(side);
  }

  #take(
    a: Cursor | undefined,
    b: Cursor | undefined,
    hear: OnRow | undefined,
  ): void | Promise<void> {
    this.counts[a === undefined ? 'added' : b === undefined ? 'removed' : 'changed']++;
    const row: RowDifference = { space: this.#space };
    for (const [side, cursor] of [
      ['before', a],
      ['after', b],
    ] as const) {
      if (cursor === undefined) continue;
      const { end } = cursor;
      if (hear !== undefined) row[side] = cursor.bytes.subarray(cursor.offset, end);
      cursor.advance(end, 1);
    }
    return hear?.(row);
  }

  /** @param mayPair - true if the other side had rows that may be these in another order */
  async #rest(cursor: Cursor, kind: 'removed' | 'added', mayPair: boolean): Promise<void> {
    const { onRow, keep = onRow } = this.#options;
    const hear = mayPair ? keep : onRow;
    const isChecked = mayPair && this.#options.onDisorder !== undefined;
    const side = kind === 'removed' ? 0 : 1;
    const [left, right] = side === 0 ? [cursor, undefined] : [undefined, cursor];
    while (cursor.left > 0 || (await cursor.fill())) {
      if (hear === undefined && !isChecked) {
        this.counts[kind] += cursor.left;
        cursor.advance(cursor.bytes.length, cursor.left);
        continue;
      }
      if (isChecked) {
        if (cursor.isLong) await this.#readKey(cursor);
        this.#check(cursor, side);
      }
      const waits = this.#take(left, right, hear);
      if (waits !== undefined) await waits;
    }
  }
}
