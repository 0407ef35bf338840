/**
 * The limit of steps of all expressions for one row: less than a second of work, because signals are handled between
 * two rows. Steps are counted and time is not measured, so a row that is refused on one machine is refused on all.
 */
export const MAX_STEPS = 5_000_000;

/** The number of characters that a loop in JavaScript reads in one step. */
const CHARS_WALKED_PER_STEP = 8;
/** The number of characters or bytes that the runtime compares or searches in one step. */
const CHARS_COMPARED_PER_STEP = 64;
/** The number of steps for a value that stays in memory: an expression holds 100,000 of them at most. */
const HELD_STEPS = 50;
/** The number of bytes of text that may stay in memory for one step: an expression holds 40 MB at most. */
const BYTES_HELD_PER_STEP = 8;
/** The number of bytes of an array or a map that are skipped in one step: each may be a value. */
const BYTES_SKIPPED_PER_STEP = 8;
/** The number of steps for a missing answer after which the expression goes on: it has cost an error. */
const FAILURE_STEPS = 200;

/** Ends an expression that takes more than {@link MAX_STEPS}. No `||` continues after it. */
export class OverBudget extends Error {
  constructor() {
    super(`the expression takes more than ${MAX_STEPS.toLocaleString('en-US')} steps for this row`);
  }
}

/**
 * The remaining steps for one row.
 *
 * @example
 * budget.begin();
 * budget.spend(1);
 */
export class Budget {
  #left = MAX_STEPS;

  /** Call before each row. */
  begin(): void {
    this.#left = MAX_STEPS;
  }

  /**
   * Takes steps.
   *
   * @throws OverBudget if too few steps are left
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new OverBudget();
  }

  /** Pays for a loop over characters. */
  spendWalked(length: number): void {
    this.spend(length / CHARS_WALKED_PER_STEP);
  }

  /** Pays for characters or bytes that the runtime compares or searches. */
  spendCompared(length: number): void {
    this.spend(length / CHARS_COMPARED_PER_STEP);
  }

  /** Pays for values that stay in memory. */
  spendHeld(values: number): void {
    this.spend(values * HELD_STEPS);
  }

  /** Pays for text or bytes that stay in memory. */
  spendHeldBytes(length: number): void {
    this.spend(length / BYTES_HELD_PER_STEP);
  }

  /** The number of bytes of an array or a map that the remaining steps can skip. */
  get skippable(): number {
    return this.#left * BYTES_SKIPPED_PER_STEP;
  }

  /** Pays for skipping an array or a map of this size. */
  spendSkipped(bytes: number): void {
    this.spend(1 + bytes / BYTES_SKIPPED_PER_STEP);
  }

  spendFailure(): void {
    this.spend(FAILURE_STEPS);
  }
}
