import { NOTHING } from '../memory.js';
import { skip } from '../tuple/msgpack.js';
import type { Pairing } from './key.js';
import type { Piece, Pieces } from './pieces.js';

/** Rows of one space, one after the other, in the memory that they came in. */
export class Cursor {
  readonly #pieces: Pieces;
  #piece: Piece | undefined;
  /** Holds the row at hand. */
  bytes: Buffer = NOTHING;
  /** Where the row at hand stands. */
  offset = 0;
  /** Rows in `bytes` from the one at hand on; 0 where {@link fill} has to be called. */
  left = 0;
  #marked: { bytes: Buffer; offset: number } | undefined;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** @returns false behind the last row */
  async fill(): Promise<boolean> {
    while (this.left === 0) {
      this.#giveBack();
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#piece = value;
      this.bytes = value.bytes;
      this.offset = 0;
      this.left = value.count;
    }
    return true;
  }

  /** Bytes in `bytes` from the row at hand on. */
  get room(): number {
    return this.bytes.length - this.offset;
  }

  /** Where the row at hand ends. */
  get end(): number {
    return skip(this.bytes, this.offset, this.bytes.length);
  }

  get row(): Buffer {
    return this.bytes.subarray(this.offset, this.end);
  }

  /** Goes on to the row at `offset`, which is `rows` further. */
  advance(offset: number, rows: number): void {
    this.offset = offset;
    this.left -= rows;
  }

  /**
   * Remembers the row at hand, to be compared with those that come later.
   *
   * @returns false where it does not come behind the one that was remembered before
   */
  mark(compare: Pairing['compare']): boolean {
    const last = this.#marked;
    const { bytes, offset } = this;
    if (last?.bytes === bytes && last.offset === offset) return true;
    this.#marked = { bytes, offset };
    return last === undefined || compare(last.bytes, last.offset, bytes, offset) < 0;
  }

  /** What is left of the rows. */
  async *rest(): AsyncGenerator<Piece> {
    while (await this.fill()) {
      const { bytes, offset, left: count } = this;
      this.left = 0;
      yield { bytes: bytes.subarray(offset), count };
    }
  }

  #giveBack(): void {
    const marked = this.#marked;
    if (marked !== undefined && marked.bytes === this.bytes) {
      const { bytes, offset } = marked;
      const row = Buffer.from(bytes.subarray(offset, skip(bytes, offset, bytes.length)));
      this.#marked = { bytes: row, offset: 0 };
    }
    this.bytes = NOTHING;
    this.offset = 0;
    this.#piece?.release?.();
    this.#piece = undefined;
  }
}
