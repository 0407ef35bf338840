import { skip } from '../tuple/msgpack.js';
import type { Cursor } from './cursor.js';
import type { Pairing } from './key.js';

/** A row that differs: without `after` it was removed, without `before` it was added. */
export interface RowDifference {
  /** Name of its space. */
  space: string;
  /** MessagePack; valid until the call that gets it returns, or its promise settles. */
  before?: Buffer;
  after?: Buffer;
}

/** How the rows of one space differ. */
export interface RowCounts {
  removed: number;
  added: number;
  /** The key is on both sides, and the rest of the row is another. */
  changed: number;
  equal: number;
}

/** Hears of each row that differs. */
export type OnRow = (row: RowDifference) => void | Promise<void>;

/** Below this, bytes are compared one by one: a call out of JavaScript costs more. */
const NEAR_BYTES = 128;

const isSame = (a: Cursor, b: Cursor, from: number, to: number): boolean =>
  a.bytes.compare(b.bytes, b.offset + from, b.offset + to, a.offset + from, a.offset + to) === 0;

/** How many bytes are the same from the rows at hand on, `size` at most. */
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
 * Steps over rows that are the same on both sides, in bulk, up to the end of a piece.
 *
 * @returns how many there were
 */
export function skipSame(a: Cursor, b: Cursor): number {
  const size = Math.min(a.room, b.room);
  const same = sameBytes(a, b, size);
  if (same === size) {
    // the end of one piece is the end of a row, on the other side, too
    const rows = size === a.room ? a.left : b.left;
    a.advance(a.offset + size, rows);
    b.advance(b.offset + size, rows);
    return rows;
  }
  let rows = 0;
  let end = a.offset;
  const limit = a.offset + same;
  for (let next = end; ; rows++, end = next) {
    next = skip(a.bytes, end, limit);
    if (next < 0) break;
  }
  b.advance(b.offset + end - a.offset, rows);
  a.advance(end, rows);
  return rows;
}

/** Rows do not come in the order of their key: nothing can be said about them. */
export class OrderBroken extends Error {}

/** Compares rows that both sides have in the order of `pairing`. */
export class Merge {
  readonly #space: string;
  readonly #onRow: OnRow | undefined;
  readonly counts: RowCounts = { removed: 0, added: 0, changed: 0, equal: 0 };

  constructor(space: string, onRow?: OnRow) {
    this.#space = space;
    this.#onRow = onRow;
  }

  /** Steps over the rows at the start that are the same on both sides, in whatever order they come. */
  async start(a: Cursor, b: Cursor): Promise<void> {
    while ((await a.fill()) && (await b.fill())) {
      const rows = skipSame(a, b);
      if (rows === 0) return;
      this.counts.equal += rows;
    }
  }

  /**
   * @param isTrusted - true for rows that we have sorted
   * @throws OrderBroken where a side is not in order
   */
  async run(a: Cursor, b: Cursor, compare: Pairing['compare'], isTrusted = false): Promise<void> {
    const { counts } = this;
    while ((a.left > 0 || (await a.fill())) && (b.left > 0 || (await b.fill()))) {
      const same = skipSame(a, b);
      counts.equal += same;
      if (same > 0) continue;
      if (!isTrusted && !(a.mark(compare) && b.mark(compare))) throw new OrderBroken();
      const order = compare(a.bytes, a.offset, b.bytes, b.offset);
      const waits = this.#take(order <= 0 ? a : undefined, order >= 0 ? b : undefined);
      if (waits !== undefined) await waits;
    }
    await this.#rest(a, 'removed');
    await this.#rest(b, 'added');
  }

  #take(a: Cursor | undefined, b: Cursor | undefined): void | Promise<void> {
    this.counts[a === undefined ? 'added' : b === undefined ? 'removed' : 'changed']++;
    const row: RowDifference = { space: this.#space };
    for (const [side, cursor] of [
      ['before', a],
      ['after', b],
    ] as const) {
      if (cursor === undefined) continue;
      const { end } = cursor;
      if (this.#onRow !== undefined) row[side] = cursor.bytes.subarray(cursor.offset, end);
      cursor.advance(end, 1);
    }
    return this.#onRow?.(row);
  }

  async #rest(cursor: Cursor, kind: 'removed' | 'added'): Promise<void> {
    while (await cursor.fill()) {
      if (this.#onRow === undefined) {
        this.counts[kind] += cursor.left;
        cursor.advance(cursor.bytes.length, cursor.left);
        continue;
      }
      const isRemoved = kind === 'removed';
      const waits = this.#take(isRemoved ? cursor : undefined, isRemoved ? undefined : cursor);
      if (waits !== undefined) await waits;
    }
  }
}
