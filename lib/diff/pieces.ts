import type { TupleBatch } from '../tuple/batch.js';
import type { Scratch, ScratchFile } from './scratch.js';

/** Whole tuples of a space, `count` of them. */
export type Piece = Pick<TupleBatch, 'bytes' | 'count' | 'release'>;

/** The rows of one space, or what is left of them. */
export type Pieces = AsyncIterator<Piece>;

/** No rows. */
export async function* noRows(): AsyncGenerator<Piece> {}

/** Pieces are read again in as many bytes, or more. */
const BLOCK_BYTES = 1024 * 1024;

/** Rows of one space in a temporary file. */
export class Spool {
  readonly #scratch: Scratch;
  #file: ScratchFile | undefined;
  readonly #blocks: { end: number; count: number }[] = [];

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Keeps all rows of `pieces`. */
  async fill(pieces: AsyncIterable<Piece>): Promise<void> {
    this.#file = await this.#scratch.file();
    let start = 0;
    let count = 0;
    for await (const piece of pieces) {
      await this.#file.append(piece.bytes);
      piece.release?.();
      count += piece.count;
      if (this.#file.size - start < BLOCK_BYTES) continue;
      this.#blocks.push({ end: this.#file.size, count });
      start = this.#file.size;
      count = 0;
    }
    if (count > 0) this.#blocks.push({ end: this.#file.size, count });
  }

  get bytes(): number {
    return this.#file?.size ?? 0;
  }

  /** Gives them again, and gives the file up behind the last. */
  async *rows(): AsyncGenerator<Piece> {
    if (this.#file === undefined) return;
    let start = 0;
    for (const { end, count } of this.#blocks) {
      yield { bytes: await this.#file.read(start, end), count };
      start = end;
    }
    await this.#scratch.remove(this.#file);
  }
}
