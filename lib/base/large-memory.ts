/** A piece of memory on loan. */
export interface Loan {
  memory: Buffer;
  /** Gives it back; calls but the first do nothing. */
  release: () => void;
}

/**
 * The large memory of one run. Its users share it, so that what one of them does not use at the moment is lent to
 * another, and not allocated once more.
 *
 * @example
 * const memory = new LargeMemory();
 * const bodies = new Bodies(memory);
 * const { memory: row, release } = memory.borrow(120_000_000);
 */
export class LargeMemory {
  /** Unused pieces that the garbage collector has not freed yet, so that they can be used again. */
  #spares: WeakRef<Buffer>[] = [];
  /** Shared pieces that have memory which is not lent. */
  readonly #resting = new Set<SharedPiece>();

  /**
   * Lends memory; memory that a {@link SharedPiece} has for later comes first.
   *
   * @returns memory of unknown content that may be larger
   */
  borrow(bytes: number): Loan {
    let memory: Buffer | undefined;
    for (const piece of this.#resting) memory ??= piece.giveUp(bytes);
    memory ??= this.takeSpare((piece) => piece.length >= bytes) ?? Buffer.allocUnsafeSlow(bytes);
    const lent = memory;
    let isBack = false;
    const release = (): void => {
      if (!isBack) this.addSpare(lent);
      isBack = true;
    };
    return { memory, release };
  }

  /** Takes an unused piece that is large enough, if there is one. */
  takeSpare(fits: (piece: Buffer) => boolean): Buffer | undefined {
    this.#spares = this.#spares.filter((spare) => spare.deref() !== undefined);
    const at = this.#spares.findIndex((spare) => fits(spare.deref()!));
    return at < 0 ? undefined : this.#spares.splice(at, 1)[0]!.deref();
  }

  /** Keeps a piece that is not used any more, until the garbage collector frees it. */
  addSpare(piece: Buffer): void {
    this.#spares.push(new WeakRef(piece));
  }

  /** Notes whether a shared piece has memory that may be lent. */
  setResting(piece: SharedPiece, isResting: boolean): void {
    if (isResting) this.#resting.add(piece);
    else this.#resting.delete(piece);
  }
}

/**
 * One piece of memory for values that are too large to be in memory twice: a user waits until the previous one has
 * given it back.
 *
 * @example
 * const piece = new SharedPiece(150_000_000, 2000, new LargeMemory());
 * const { memory, release } = await piece.take();
 * release(); // nobody else uses it any more
 */
export class SharedPiece {
  readonly #size: number;
  readonly #patience: number;
  readonly #shared: LargeMemory;
  #memory: Buffer | undefined;
  #isBack: Promise<unknown> = Promise.resolve();
  #isLent = false;
  #isOver = false;

  /**
   * @param patience - milliseconds to wait for an owner that may never give it back
   * @param shared - the memory of the run
   */
  constructor(size: number, patience: number, shared: LargeMemory) {
    this.#size = size;
    this.#patience = patience;
    this.#shared = shared;
  }

  /** Returns memory with unknown content; new memory if the previous owner keeps it. One call at a time. */
  async take(): Promise<Loan> {
    if (await this.#isLost()) this.#memory = undefined;
    const memory =
      this.#memory ??
      this.#shared.takeSpare(({ length }) => length === this.#size) ??
      Buffer.allocUnsafeSlow(this.#size);
    this.#memory = memory;
    this.#isLent = true;
    this.#shared.setResting(this, false);
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
    this.#shared.setResting(this, false);
    this.#memory = undefined;
    return memory;
  }

  #rest(): void {
    this.#isLent = false;
    if (!this.#isOver) {
      this.#shared.setResting(this, true);
      return;
    }
    this.#shared.setResting(this, false);
    this.#shared.addSpare(this.#memory!);
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
