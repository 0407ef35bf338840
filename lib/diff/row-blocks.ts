import { setImmediate } from 'node:timers/promises';
import type { TupleBatch } from '../backup/batch.js';
import type { Scratch, ScratchFile } from '../base/scratch.js';
import { INCOMPLETE, skip } from '../tuple/msgpack.js';
import { LONG_BYTES, TURN_VALUES, UNFINISHED, Walker } from '../tuple/walk.js';

/** `count` whole tuples of a space. */
export type Piece = Pick<TupleBatch, 'bytes' | 'count' | 'release'>;

/** The rows of one space, or the remaining ones. */
export type Pieces = AsyncIterator<Piece>;

/** No rows. */
export async function* noRows(): AsyncGenerator<Piece> {}

/** Cuts rows so that each long row is alone, in turns. */
function* cut({ bytes, release }: TupleBatch): Generator<Piece | undefined> {
  const walker = new Walker();
  let [start, count, turn] = [0, 0, TURN_VALUES];
  for (let pos = 0; pos < bytes.length; ) {
    if (pos >= turn) {
      yield;
      turn = pos + TURN_VALUES;
    }
    const near = Math.min(bytes.length, pos + BLOCK_BYTES);
    let end = skip(bytes, pos, near);
    if (end === INCOMPLETE && near < bytes.length) {
      end = walker.begin(bytes, pos, bytes.length);
      const rest = walker.rest();
      for (let step = rest.next(); end === UNFINISHED; step = rest.next()) {
        if (step.done === true) end = step.value;
        else yield;
      }
    }
    const isLong = end - pos > LONG_BYTES;
    if (isLong && count > 0) yield { bytes: bytes.subarray(start, pos), count };
    if (isLong) [start, count] = [pos, 0];
    count++;
    pos = end;
    const isLast = end === bytes.length;
    if (!isLong && !isLast) continue;
    yield { bytes: bytes.subarray(start, end), count, release: isLast ? release : undefined };
    [start, count] = [end, 0];
  }
}

/**
 * Splits the rows of a batch into pieces, with each row of more than {@link LONG_BYTES} alone: its end is then known
 * without a walk over all of its values.
 */
export async function* piecesOf(batch: TupleBatch): AsyncGenerator<Piece> {
  const { bytes, count, largest = bytes.length } = batch;
  if (count === 1 || largest <= LONG_BYTES) yield batch;
  else {
    for (const piece of cut(batch)) {
      if (piece === undefined) await setImmediate();
      else yield piece;
    }
  }
}

/** The least number of bytes that are read and written at once. */
export const BLOCK_BYTES = 256 * 1024;

/** Collects rows, and returns them in pieces of this size. */
export class Block {
  #memory = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  #count = 0;

  /**
   * Copies a row of `buf`.
   *
   * @returns the rows that were collected before, if the row does not fit
   */
  add(buf: Buffer, start: number, end: number): Piece | undefined {
    const full = this.#filled + end - start > this.#memory.length ? this.take() : undefined;
    if (end - start > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(end - start);
    buf.copy(this.#memory, this.#filled, start, end);
    this.#filled += end - start;
    this.#count++;
    return full;
  }

  /** Returns the collected rows; undefined if there are none. */
  take(): Piece | undefined {
    if (this.#count === 0) return undefined;
    const piece = { bytes: this.#memory.subarray(0, this.#filled), count: this.#count };
    this.#memory = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#filled = 0;
    this.#count = 0;
    return piece;
  }
}

/** Rows of one space that are kept in a temporary file, except for the last ones. */
export class Spool {
  readonly #scratch: Scratch;
  #file: ScratchFile | undefined;
  #block: Block | undefined;
  /** The number of rows that were added one by one. */
  count = 0;
  /** The written blocks. Neighbors may be joined. */
  readonly #blocks: { start: number; end: number; count: number }[] = [];

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Adds a row. */
  add(row: Buffer): void | Promise<void> {
    this.count++;
    if (row.length > BLOCK_BYTES) return this.#addLarge(row);
    this.#block ??= new Block();
    const full = this.#block.add(row, 0, row.length);
    return full === undefined ? undefined : this.#write(full);
  }

  /** Writes a row from its own memory: there is no room for a second copy. */
  async #addLarge(row: Buffer): Promise<void> {
    const before = this.#block?.take();
    if (before !== undefined) await this.#write(before);
    await this.#write({ bytes: row, count: 1 });
  }

  /** Adds all rows of `pieces`. */
  async fill(pieces: AsyncIterable<Piece>): Promise<void> {
    for await (const piece of pieces) {
      await this.#write(piece);
      piece.release?.();
    }
  }

  /** The number of bytes in the file. */
  get bytes(): number {
    return this.#file?.size ?? 0;
  }

  /** Yields all rows, and closes the file after the last one. */
  async *rows(): AsyncGenerator<Piece> {
    if (this.#file !== undefined) {
      for (const { start, end, count } of this.#blocks) {
        const bytes = end - start;
        const loan = bytes > LONG_BYTES ? this.#file.memory.borrow(bytes) : undefined;
        const read = await this.#file.read(start, end, loan?.memory);
        yield { bytes: read, count, release: loan?.release };
      }
      await this.#scratch.remove(this.#file);
    }
    const last = this.#block?.take();
    if (last !== undefined) yield last;
  }

  async #write({ bytes, count }: Piece): Promise<void> {
    this.#file ??= this.#scratch.file();
    const start = this.#file.size;
    await this.#file.append(bytes);
    const last = this.#blocks.at(-1);
    const isSmall = bytes.length <= BLOCK_BYTES;
    if (isSmall && last !== undefined && last.end - last.start < BLOCK_BYTES) {
      last.end = this.#file.size;
      last.count += count;
    } else this.#blocks.push({ start, end: this.#file.size, count });
  }
}
