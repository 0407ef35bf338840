/** No bytes. */
export const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Memory that is filled by somebody else and handed out piece by piece, neighbours behind each other.
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

/** Adds `piece` to `pieces`; joins it with the last of them where they are neighbours in memory. */
export function pushPiece(pieces: Buffer[], piece: Buffer): void {
  const last = pieces.at(-1);
  const isNeighbour =
    last?.buffer === piece.buffer && last.byteOffset + last.length === piece.byteOffset;
  if (!isNeighbour) pieces.push(piece);
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
 * pool.give(piece); // nobody else looks at it any more
 */
export class Pool {
  /** Bytes of a piece. */
  readonly size: number;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** @param keep - pieces that are kept at most while nobody uses them */
  constructor(size: number, keep: number) {
    this.size = size;
    this.#keep = keep;
  }

  /**
   * A piece of unknown content, the caller's own until it is given back, if ever.
   *
   * @param bytes - what has to fit; for more than a piece has, memory of that size is made
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

/** A piece of memory on loan. */
export interface Loan {
  memory: Buffer;
  /** Gives it back; calls but the first do nothing. */
  release: () => void;
}

/** Pieces that nobody uses, until they are collected: as long as they are there, they are better used. */
let spares: WeakRef<Buffer>[] = [];

function takeSpare(fits: (piece: Buffer) => boolean): Buffer | undefined {
  spares = spares.filter((spare) => spare.deref() !== undefined);
  const at = spares.findIndex((spare) => fits(spare.deref()!));
  return at < 0 ? undefined : spares.splice(at, 1)[0]!.deref();
}

/** Shared pieces that have memory which is not lent. */
const resting = new Set<SharedPiece>();

/**
 * Lends memory for something that is too large to be there once more: memory that a {@link SharedPiece} has for later
 * comes first.
 *
 * @returns memory of unknown content that may be larger
 */
export function borrow(bytes: number): Loan {
  let memory: Buffer | undefined;
  for (const piece of resting) memory ??= piece.giveUp(bytes);
  memory ??= takeSpare((piece) => piece.length >= bytes) ?? Buffer.allocUnsafeSlow(bytes);
  const lent = memory;
  let isBack = false;
  const release = (): void => {
    if (!isBack) spares.push(new WeakRef(lent));
    isBack = true;
  };
  return { memory, release };
}

/**
 * One piece of memory for what is too large to be there twice: who wants it waits until the one before has
 * given it back.
 *
 * @example
 * const piece = new SharedPiece(150_000_000, 2000);
 * const { memory, release } = await piece.take();
 * release(); // nobody else looks at it any more
 */
export class SharedPiece {
  readonly #size: number;
  readonly #patience: number;
  #memory: Buffer | undefined;
  #isBack: Promise<unknown> = Promise.resolve();
  #isLent = false;
  #isOver = false;

  /** @param patience - milliseconds to wait for an owner that may never give it back */
  constructor(size: number, patience: number) {
    this.#size = size;
    this.#patience = patience;
  }

  /** Memory of unknown content; new memory where the owner before keeps it. One call at a time. */
  async take(): Promise<Loan> {
    if (await this.#isLost()) this.#memory = undefined;
    const memory =
      this.#memory ??
      takeSpare(({ length }) => length === this.#size) ??
      Buffer.allocUnsafeSlow(this.#size);
    this.#memory = memory;
    this.#isLent = true;
    resting.delete(this);
    let release = (): void => {};
    this.#isBack = new Promise<void>((resolve) => {
      let isBack = false;
      release = () => {
        // a second call would take it from the next owner
        if (!isBack && this.#memory === memory) this.#rest();
        isBack = true;
        resolve();
      };
    });
    return { memory, release };
  }

  /** Frees the memory for the next borrower, or for the collector. */
  free(): void {
    this.#isOver = true;
    if (this.#memory !== undefined && !this.#isLent) this.#rest();
  }

  /** Gives up the memory, if it is not lent and has so many bytes. */
  giveUp(bytes: number): Buffer | undefined {
    const memory = this.#memory;
    if (memory === undefined || this.#isLent || memory.length < bytes) return undefined;
    resting.delete(this);
    this.#memory = undefined;
    return memory;
  }

  #rest(): void {
    this.#isLent = false;
    if (!this.#isOver) {
      resting.add(this);
      return;
    }
    resting.delete(this);
    spares.push(new WeakRef(this.#memory!));
    this.#memory = undefined;
  }

  async #isLost(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, this.#patience, true);
    });
    try {
      return await Promise.race([this.#isBack.then(() => false), isLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}
