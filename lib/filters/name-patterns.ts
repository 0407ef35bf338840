import { TntarError } from '../base/errors.js';
import { longListOf, shorten, thereAre } from '../base/report.js';
import { MAX_NAME_BYTES } from '../schema/server/system-spaces.js';
import { GlobBudget, glob, PatternError, type Test } from './glob.js';

/** Returns the error of a pattern that has no meaning, or takes too long. */
function patternError(pattern: string, error: unknown): unknown {
  if (!(error instanceof PatternError)) return error;
  const message = `cannot read the pattern '${shorten(pattern)}': ${error.message}`;
  return new TntarError('usage', message, { hint: error.hint });
}

/** Tells whether a name fits a pattern. A name that is written as it is fits also where it looks like a pattern. */
function matcher(pattern: string, budget: GlobBudget): Test {
  if (pattern === '' || pattern.length > MAX_NAME_BYTES) {
    const which = pattern === '' ? 'an empty pattern' : `'${shorten(pattern)}'`;
    throw new TntarError('usage', `${which} cannot match a space name`);
  }
  const within = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw patternError(pattern, error);
    }
  };
  const fits = within(() => glob(pattern, budget));
  return (name) => name === pattern || within(() => fits(name));
}

/** Writes patterns for messages. */
export function showed(patterns: readonly string[]): string {
  return longListOf(patterns.map((pattern) => `'${pattern}'`));
}

/** Patterns of names, of which one is enough. */
export class NamePatterns {
  readonly #tests: readonly (readonly [string, Test])[];
  readonly #budget: GlobBudget;
  /** Names are asked for more than once, and matched once. */
  readonly #known = new Map<string, boolean>();

  /**
   * @param budget - of all patterns that are matched for one purpose
   * @throws TntarError of kind `usage` for what can fit no name, or has no meaning as a pattern
   */
  constructor(patterns: readonly string[], budget = new GlobBudget()) {
    this.#budget = budget;
    this.#tests = patterns.map((pattern) => [pattern, matcher(pattern, budget)]);
  }

  /** Forgets the names of one backup before those of another. */
  renew(): void {
    this.#known.clear();
    this.#budget.renew();
  }

  /**
   * Tells whether a name fits any of the patterns.
   *
   * @throws TntarError of kind `usage` where the names take too long
   */
  fit(name: string): boolean {
    const answer = this.#known.get(name) ?? this.#tests.some(([, fits]) => fits(name));
    this.#known.set(name, answer);
    return answer;
  }

  /** Returns the patterns that fit no name. */
  idle(names: readonly string[]): string[] {
    return this.#tests.filter(([, fits]) => !names.some(fits)).map(([pattern]) => pattern);
  }
}

/** @throws TntarError of kind `usage` if patterns fit no name */
export function checkIdle(idle: readonly string[], names: readonly string[]): void {
  if (idle.length === 0) return;
  throw new TntarError('usage', `no space matches ${showed(idle)}`, {
    hint: `${thereAre(names)}; a pattern matches whole names, and * matches any characters`,
  });
}
