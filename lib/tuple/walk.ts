import { headerSize, INCOMPLETE, INVALID, isArray, nestedCount, ownSize } from './msgpack.js';

/** So many values are stepped over in one turn of the event loop: some ten milliseconds. */
export const TURN_VALUES = 1024 * 1024;

/** Below so many bytes, which may be as many values, everything is done in one turn. */
export const LONG_BYTES = 4 * 1024 * 1024;

/** Returned where a walk has to pause before the end of the value. */
export const UNFINISHED = -3;

/** So few values need no second thought. */
const FEW_VALUES = 1024;

/**
 * Steps over values as `skip` does, and says when it is time for a pause. All values count for it that were stepped
 * over since the last pause, within the value at hand and before it.
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

  /** @param most - values between two pauses */
  constructor(most: number = TURN_VALUES) {
    this.#most = most;
    this.#left = most;
  }

  /**
   * Steps over the value at `offset`.
   *
   * @returns what `skip` returns, or {@link UNFINISHED}
   */
  begin(buf: Uint8Array, offset: number, end: number): number {
    this.#buf = buf;
    this.#pos = offset;
    this.#end = end;
    this.#pending = 1;
    return this.#go();
  }

  /** The same for a value that has to be an array, as `skipTuple` does. */
  beginTuple(buf: Uint8Array, offset: number, end: number): number {
    if (offset >= end) return INCOMPLETE;
    return isArray(buf[offset]!) ? this.begin(buf, offset, end) : INVALID;
  }

  /** Goes on with a value that is unfinished, and yields for each pause. */
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
      const head = headerSize(buf, pos);
      if (head === 0) return INVALID;
      if (pos + head > end) return INCOMPLETE;
      pending += nestedCount(buf, pos) - 1;
      pos += ownSize(buf, pos);
      if (pos + pending > end) return INCOMPLETE;
    }
    this.#pos = pos;
    this.#pending = pending;
    this.#left = left;
    return pending === 0 ? pos : UNFINISHED;
  }
}

/**
 * Tells whether a whole value has only a few others within, without a look at more than these.
 *
 * @example
 * isShort(Buffer.from([0x91, 1]), 0); // true
 */
export function isShort(buf: Uint8Array, offset: number): boolean {
  return new Walker(FEW_VALUES).begin(buf, offset, buf.length) !== UNFINISHED;
}
