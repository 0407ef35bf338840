import {
  headerSize,
  INCOMPLETE,
  INVALID,
  isArray,
  nestedCount,
  OWN,
  ownSize,
  PENDING,
  skip,
} from './msgpack.js';

/** The number of values that are skipped in one turn of the event loop: some ten milliseconds. */
export const TURN_VALUES = 1024 * 1024;

/** Below this number of bytes, which may be as many values, all work is done in one turn. */
export const LONG_BYTES = 4 * 1024 * 1024;

/** Returned if a walk must pause before the end of the value. */
export const UNFINISHED = -3;

/** The limit in bytes of a value that is skipped without counting: a part may have a hundred million small ones. */
const SMALL_BYTES = 64 * 1024;

/** The number of values below which no count is needed. */
const FEW_VALUES = 1024;

/**
 * Skips values like `skip`, and pauses in time. All values since the last pause count, those inside of the current
 * value and those before it.
 *
 * @example
 * let end = walker.begin(buf, 0, buf.length);
 * if (end === UNFINISHED) end = yield* walker.rest();
 */
export class Walker {
  readonly #most: number;
  #left: number;
  #buf: Uint8Array = Buffer.alloc(0);
  #pos = 0;
  #end = 0;
  #pending = 0;

  /** @param most - the number of values between two pauses */
  constructor(most: number = TURN_VALUES) {
    this.#most = most;
    this.#left = most;
  }

  /**
   * Skips the value at `offset`.
   *
   * @returns the result of `skip`, or {@link UNFINISHED}
   */
  begin(buf: Uint8Array, offset: number, end: number): number {
    const near = Math.min(end, offset + Math.min(SMALL_BYTES, this.#left));
    if (near > offset) {
      const next = skip(buf, offset, near);
      if (next >= 0) this.#left -= next - offset; // it has at most that many values
      if (next !== INCOMPLETE || near === end) return next;
    }
    this.#buf = buf;
    this.#pos = offset;
    this.#end = end;
    this.#pending = 1;
    return this.#go();
  }

  /** Does the same for a value that must be an array, like `skipTuple`. */
  beginTuple(buf: Uint8Array, offset: number, end: number): number {
    if (offset >= end) return INCOMPLETE;
    return isArray(buf[offset]!) ? this.begin(buf, offset, end) : INVALID;
  }

  /** Continues with an unfinished value, and yields at each pause. */
  *rest(): Generator<void, number> {
    for (;;) {
      yield;
      this.#left = this.#most;
      const end = this.#go();
      if (end !== UNFINISHED) return end;
    }
  }

  #go(): number {
    const [buf, end] = [this.#buf, this.#end];
    let [pos, pending, left] = [this.#pos, this.#pending, this.#left];
    for (; left > 0 && pending > 0; left--) {
      if (pos >= end) return INCOMPLETE;
      const code = buf[pos]!;
      const own = OWN[code]!;
      if (own !== 0) {
        pos += own;
        pending += PENDING[code]!;
      } else {
        const head = headerSize(buf, pos);
        if (head === 0) return INVALID;
        if (pos + head > end) return INCOMPLETE;
        pending += nestedCount(buf, pos) - 1;
        pos += ownSize(buf, pos);
      }
      if (pos + pending > end) return INCOMPLETE;
    }
    this.#pos = pos;
    this.#pending = pending;
    this.#left = left;
    return pending === 0 ? pos : UNFINISHED;
  }
}

/**
 * Skips one value while its bytes arrive. Each byte is read once, however often more of them arrive.
 *
 * @example
 * const arriving = new Arriving();
 * while ((end = arriving.walk(buf, start, filled)) === INCOMPLETE) filled += await more(buf);
 */
export class Arriving {
  /** The offset from the beginning of the value. */
  #at = 0;
  #pending = 1;

  /**
   * Continues as far as there are bytes. The value may be at another offset than before.
   *
   * @param start - the offset of the value
   * @param end - the offset after the last byte that has arrived
   * @returns the offset after the value, `INCOMPLETE` or `INVALID`
   */
  walk(buf: Uint8Array, start: number, end: number): number {
    let pos = start + this.#at;
    let pending = this.#pending;
    while (pending > 0 && pos < end) {
      const code = buf[pos]!;
      const own = OWN[code]!;
      if (own !== 0) {
        pos += own;
        pending += PENDING[code]!;
      } else {
        const head = headerSize(buf, pos);
        if (head === 0) return INVALID;
        if (pos + head > end) break;
        pending += nestedCount(buf, pos) - 1;
        pos += ownSize(buf, pos);
      }
    }
    this.#at = pos - start;
    this.#pending = pending;
    return pending === 0 && pos <= end ? pos : INCOMPLETE;
  }
}

/**
 * Runs interruptible work without a pause.
 *
 * @example
 * const key = atOnce(extractKeyInTurns(tuple, parts));
 */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/**
 * Starts interruptible work, and stops at its first pause.
 *
 * @returns the result of the work; undefined if it takes longer
 * @example
 * const key = inOneTurn(extractKeyInTurns(tuple, parts));
 */
export function inOneTurn<T>(work: Generator<void, T>): T | undefined {
  const { done, value } = work.next();
  return done === true ? value : undefined;
}

/**
 * Returns true if a whole value has only a few values inside, without reading more than these.
 *
 * @example
 * isShort(Buffer.from([0x91, 1]), 0); // true
 */
export function isShort(buf: Uint8Array, offset: number): boolean {
  return new Walker(FEW_VALUES).begin(buf, offset, buf.length) !== UNFINISHED;
}
