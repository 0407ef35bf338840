/** No bytes. */
export const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Memory that the caller fills, and that is handed out piece by piece, in order.
 * No byte that was handed out is written to again.
 *
 * @example
 * const slab = new Slab(1024 * 1024, 64 * 1024);
 * const piece = slab.take(readInto(slab.room));
 */
export class Slab {
  readonly #size: number;
  readonly #minRoom: number;
  #memory = Buffer.alloc(0);
  #used = 0;

  /**
   * @param size - bytes that are allocated at once
   * @param minRoom - less room than this is left unused, 1 to `size`
   */
  constructor(size: number, minRoom: number) {
    this.#size = size;
    this.#minRoom = minRoom;
  }

  /** The memory for the next write. */
  get room(): Buffer {
    if (this.#memory.length - this.#used < this.#minRoom) {
      this.#memory = Buffer.allocUnsafeSlow(this.#size);
      this.#used = 0;
    }
    return this.#memory.subarray(this.#used);
  }

  /** The first `bytes` of the room, which are the caller's from now on. */
  take(bytes: number): Buffer {
    const start = this.#used;
    this.#used += bytes;
    return this.#memory.subarray(start, this.#used);
  }
}

/** Adds `piece` to `pieces`; joins it with the last of them if they are neighbors in memory. */
export function pushPiece(pieces: Buffer[], piece: Buffer): void {
  const last = pieces.at(-1);
  const isNeighbor =
    last?.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset;
  if (!isNeighbor) pieces.push(piece);
  else {
    const { buffer, byteOffset, length } = last;
    pieces[pieces.length - 1] = Buffer.from(buffer, byteOffset, length + piece.length);
  }
}

/**
 * Pieces of memory of one size that are used again and again. Large buffers that are left to the
 * collector make it run often, in threads that the compressor needs.
 *
 * @example
 * const pool = new Pool(256 * 1024, 8);
 * const piece = pool.take();
 * pool.give(piece); // nobody else uses it any more
 */
export class Pool {
  /** Bytes of a piece. */
  readonly size: number;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** @param keep - the most unused pieces that are kept */
  constructor(size: number, keep: number) {
    this.size = size;
    this.#keep = keep;
  }

  /**
   * A piece of unknown content, the caller's own until it is given back, if ever.
   *
   * @param bytes - the needed size; if a piece is too small, memory of this size is made
   */
  take(bytes = this.size): Buffer {
    if (bytes > this.size) return Buffer.allocUnsafeSlow(bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** Takes a piece back; memory of another size is left to the collector. */
  give(piece: Buffer): void {
    if (piece.length === this.size && this.#free.length < this.#keep) this.#free.push(piece);
  }

  /** @returns gives `piece` back when it is called, but once only: a piece must not get two owners */
  releaseOf(piece: Buffer): () => void {
    let isGiven = false;
    return () => {
      if (!isGiven) this.give(piece);
      isGiven = true;
    };
  }
}
