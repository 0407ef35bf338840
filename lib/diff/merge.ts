import { skip } from '../tuple/msgpack.js';
import type { Cursor } from './cursor.js';
import type { KeyReader, Pairing } from './key.js';

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
function skipSame(a: Cursor, b: Cursor): number {
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
  // the last row of a piece ends where the piece does: that is after the limit, and it may be long
  const most = Math.min(a.left, b.left) - 1;
  for (let next = end; rows < most; rows++, end = next) {
    next = skip(a.bytes, end, limit);
    if (next < 0) break;
  }
  b.advance(b.offset + end - a.offset, rows);
  a.advance(end, rows);
  return rows;
}

/** What becomes of rows while they are merged; without any of it they are counted. */
export interface MergeOptions {
  /** Reads the keys of long rows; absent where rows have no key, and are compared as wholes. */
  keys?: KeyReader | undefined;
  /** Hears of each row that differs. */
  onRow?: OnRow | undefined;
  /**
   * Gets, in the place of `onRow`, rows that only one side has so far, and that the other may still have where
   * there is no order; and such as are changed, if `onRow` is there for them.
   */
  keep?: OnRow | undefined;
  /** Called where a side, 0 or 1, is not in the order of the keys; absent for rows that we have sorted. */
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

  /** Steps over the rows at the start that are the same on both sides, in whatever order they come. */
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

  /** The row at hand has to come after those before it. */
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

  /** @param mayPair - whether the other side had rows of its own, which may be these in another order */
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
