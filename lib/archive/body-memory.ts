import { MAX_PART_BYTES, PART_BYTES } from '../backup/limits.js';
import { LargeMemory, type Loan, SharedPiece } from '../base/large-memory.js';
import { Pool } from '../base/memory.js';
import { BLOCK_BYTES } from './tar.js';

const MIB = 1024 * 1024;
/** Room for a part as the writer closes it: full, and then a batch. */
const BODY_BYTES = PART_BYTES + MIB;
/** A smaller one has memory of its own. */
const SMALL_BODY_BYTES = 256 * 1024;
/** Bodies that wait in a pipeline at a time. */
const KEPT_BODIES = 4;
/** The size from which one body exists at a time: archives with huge rows, and hostile ones, have such parts. */
const MANY_BYTES = 32 * MIB;
/** A consumer that never gives memory back gets as much as it takes, but not as fast. */
const PATIENCE_MS = 2000;

/**
 * Memory for the bodies of entries, which is used again and again.
 *
 * @example
 * const bodies = new Bodies();
 * const { memory, release } = await bodies.take(header.size);
 */
export class Bodies {
  readonly #pool = new Pool(BODY_BYTES, KEPT_BODIES);
  readonly #large: SharedPiece;

  /** @param memory - of the run, for the largest bodies */
  constructor(memory: LargeMemory = new LargeMemory()) {
    this.#large = new SharedPiece(MAX_PART_BYTES + BLOCK_BYTES, PATIENCE_MS, memory);
  }

  /**
   * What is not touched of memory that was claimed costs nothing, however large the claim.
   *
   * @param bytes - up to the largest part with its padding, and one more
   * @returns memory that may be larger
   */
  async take(bytes: number): Promise<Loan> {
    if (bytes < SMALL_BODY_BYTES) return { memory: Buffer.allocUnsafe(bytes), release: () => {} };
    if (bytes > MANY_BYTES) return this.#large.take();
    const memory = this.#pool.take(bytes);
    return { memory, release: this.#pool.releaseOf(memory) };
  }

  /** Frees the memory. */
  close(): void {
    this.#large.free();
  }
}
