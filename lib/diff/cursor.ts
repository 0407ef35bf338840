import { NOTHING } from '../base/memory.js';
import { inTurns } from '../base/turns.js';
import { skip } from '../tuple/msgpack.js';
import { LONG_BYTES } from '../tuple/walk.js';
import type { KeyReader, Pairing } from './key.js';
import type { Piece, Pieces } from './row-blocks.js';

/** Reads the key of a short row. */
function keyOf(keys: KeyReader, bytes: Buffer, offset: number): Buffer {
  const reading = keys.read(bytes, offset);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
  }
}

/** The rows of one space, one after the other, in the memory of their piece. */
export class Cursor {
  readonly #pieces: Pieces;
  #piece: Piece | undefined;
  /** The memory of the current row. */
  bytes: Buffer = NOTHING;
  /** The offset of the current row. */
  offset = 0;
  /** The number of rows in `bytes` from the current one on. If it is 0, call {@link fill}. */
  left = 0;
  /** The last marked row, without its bytes if the key is enough. */
  #marked: { bytes: Buffer; offset: number; key?: Buffer } | undefined;
  /** The key of the current row, if the row is long and its key was read. */
  #key: Buffer | undefined;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /**
   * Gets the next rows.
   *
   * @returns false after the last row
   */
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

  /** The number of bytes in `bytes` from the current row on. */
  get room(): number {
    return this.bytes.length - this.offset;
  }

  /** The end of the current row. */
  get end(): number {
    const { bytes, offset, left } = this;
    return left === 1 ? bytes.length : skip(bytes, offset, bytes.length);
  }

  /** True if the current row is too long to be copied or walked in one turn. It is then the last one in `bytes`. */
  get isLong(): boolean {
    return this.left === 1 && this.room > LONG_BYTES;
  }

  /** Reads the key of the current row, which {@link isLong}. */
  async readKey(keys: KeyReader): Promise<void> {
    if (this.isLong) this.#key ??= await inTurns(keys.read(this.bytes, this.offset));
  }

  /** Returns the key of the current row. Call {@link readKey} first for a long one. */
  key(keys: KeyReader): Buffer {
    return this.#key ?? keyOf(keys, this.bytes, this.offset);
  }

  get row(): Buffer {
    return this.bytes.subarray(this.offset, this.end);
  }

  /** Moves to the row at `offset`, which is `rows` rows further. */
  advance(offset: number, rows: number): void {
    this.offset = offset;
    this.left -= rows;
    if (rows > 0) this.#key = undefined;
  }

  /**
   * Marks the current row to compare later rows with it. The key of a long row must have been read.
   *
   * @returns false if it does not come after the last marked row
   */
  mark(compare: Pairing['compare'], keys?: KeyReader): boolean {
    const last = this.#marked;
    const { bytes, offset } = this;
    const key = this.#key;
    if (key === undefined || keys === undefined) {
      if (last?.bytes === bytes && last.offset === offset) return true;
      this.#marked = { bytes, offset };
      if (last?.key === undefined || keys === undefined) {
        return last === undefined || compare(last.bytes, last.offset, bytes, offset) < 0;
      }
      return keys.compare(last.key, this.key(keys)) < 0;
    }
    if (last?.key === key) return true;
    this.#marked = { bytes: NOTHING, offset: 0, key };
    if (last === undefined) return true;
    return keys.compare(last.key ?? keyOf(keys, last.bytes, last.offset), key) < 0;
  }

  /** Yields the remaining rows. */
  async *rest(): AsyncGenerator<Piece> {
    while (await this.fill()) {
      const { bytes, offset, left: count } = this;
      this.left = 0;
      yield { bytes: bytes.subarray(offset), count };
    }
  }

  #giveBack(): void {
    const marked = this.#marked;
    if (marked !== undefined && marked.bytes === this.bytes && marked.key === undefined) {
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
