/**
 * Steps that all expressions may take for one row: less than a second of work, for a signal is heard between
 * two rows. It is counted and not timed, so a row that is refused on one machine is refused on all.
 */
export const MAX_STEPS = 5_000_000;

/** Characters that a loop of ours looks at in the time of one step. */
const CHARS_WALKED_PER_STEP = 8;
/** Characters or bytes that the runtime compares, or looks through, in the time of one step. */
const CHARS_COMPARED_PER_STEP = 64;
/** Steps for a value that stays in memory: an expression holds 100,000 of them at most. */
const HELD_STEPS = 50;
/** Bytes of text that may stay in memory for one step: an expression holds 40 MB at most. */
const BYTES_HELD_PER_STEP = 8;
/** Bytes of an array or a map that are stepped over in the time of one step: each may be a value. */
const BYTES_SKIPPED_PER_STEP = 8;
/** Steps for an answer that is missing, and for which the expression goes on: it has cost an error. */
const FAILURE_STEPS = 200;

/** Ends an expression that takes more than {@link MAX_STEPS}; no `||` goes on after it. */
export class OverBudget extends Error {
  constructor() {
    super(`the expression takes more than ${MAX_STEPS.toLocaleString('en-US')} steps for this row`);
  }
}

/**
 * The steps that are left for one row.
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

  /** @throws OverBudget */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new OverBudget();
  }

  /** Pays for a loop over so many characters. */
  spendWalked(length: number): void {
    this.spend(length / CHARS_WALKED_PER_STEP);
  }

  /** Pays for so many characters or bytes that the runtime compares or looks through. */
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

  /** Bytes of an array or a map that can be stepped over and paid. */
  get skippable(): number {
    return this.#left * BYTES_SKIPPED_PER_STEP;
  }

  /** Pays for a step over an array or a map of so many bytes. */
  spendSkipped(bytes: number): void {
    this.spend(1 + bytes / BYTES_SKIPPED_PER_STEP);
  }

  spendFailure(): void {
    this.spend(FAILURE_STEPS);
  }
}
