import { headerSize, INCOMPLETE, INVALID, isArray, nestedCount, ownSize } from './msgpack.js';

/** So many values are stepped over in one turn of the event loop: some ten milliseconds. */
export const TURN_VALUES = 1024 * 1024;

/** Below so many bytes, which may be as many values, everything is done in one turn. */
export const LONG_BYTES = 4 * 1024 * 1024;

/** Steps over one value as {@link skip} does, and can stop on the way. */
class Walk {
  /** Where the next value begins; at the end what `skip` returns. */
  pos: number;
  readonly #buf: Uint8Array;
  readonly #end: number;
  #pending = 1;

  constructor(buf: Uint8Array, offset: number, end: number) {
    this.#buf = buf;
    this.#end = end;
    this.pos = offset;
  }

  /**
   * @param most - values that are stepped over at most
   * @returns how many of these were not needed, because the walk is over; 0 where it may go on
   */
  step(most: number): number {
    const [buf, end] = [this.#buf, this.#end];
    let { pos } = this;
    let pending = this.#pending;
    let left = most;
    for (; left > 0 && pending > 0; left--) {
      if (pos >= end) pos = INCOMPLETE;
      else {
        const head = headerSize(buf, pos);
        if (head === 0) pos = INVALID;
        else if (pos + head > end) pos = INCOMPLETE;
      }
      if (pos < 0) break;
      pending += nestedCount(buf, pos) - 1;
      pos += ownSize(buf, pos);
      if (pos + pending > end) pos = INCOMPLETE;
      if (pos < 0) break;
    }
    this.pos = pos;
    this.#pending = pending;
    return pos < 0 || pending === 0 ? Math.max(1, left) : 0;
  }
}

/** Walks over many values, and says when it is time for a pause. */
export class Walker {
  #left = TURN_VALUES;

  /**
   * Steps over one value; yields after each {@link TURN_VALUES}, those of earlier calls counted.
   *
   * @returns what `skip` does
   */
  *over(buf: Uint8Array, offset: number, end: number): Generator<void, number> {
    const walk = new Walk(buf, offset, end);
    for (;;) {
      this.#left = walk.step(this.#left);
      if (this.#left > 0) return walk.pos;
      this.#left = TURN_VALUES;
      yield;
    }
  }

  /** The same for a value that has to be an array, as `skipTuple` does. */
  *overTuple(buf: Uint8Array, offset: number, end: number): Generator<void, number> {
    if (offset >= end) return INCOMPLETE;
    return isArray(buf[offset]!) ? yield* this.over(buf, offset, end) : INVALID;
  }
}
