import { TntarError } from '../base/errors.js';
import { longListOf, shorten, thereAre } from '../base/report.js';
import { MAX_NAME_BYTES } from '../schema/server/system-spaces.js';
import { GlobBudget, glob, PatternError, type Test } from './glob.js';

/** Returns the error of a pattern that is invalid or takes too long. */
function patternError(pattern: string, error: unknown): unknown {
  if (!(error instanceof PatternError)) return error;
  const message = `cannot read the pattern '${shorten(pattern)}': ${error.message}`;
  return new TntarError('usage', message, { hint: error.hint });
}

/**
 * Returns a test for a pattern. A name that is equal to the pattern also matches, even if the pattern has special
 * characters.
 */
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

/** Returns patterns as text for messages. */
export function patternList(patterns: readonly string[]): string {
  return longListOf(patterns.map((pattern) => `'${pattern}'`));
}

/** Patterns of names. A name matches if one of them matches. */
export class NamePatterns {
  readonly #tests: readonly (readonly [string, Test])[];
  readonly #budget: GlobBudget;
  /** Results by name, because names are tested more than once. */
  readonly #known = new Map<string, boolean>();

  /**
   * @param budget - shared by all patterns for the same purpose
   * @throws TntarError of kind `usage` for a pattern that is invalid or cannot match a name
   */
  constructor(patterns: readonly string[], budget = new GlobBudget()) {
    this.#budget = budget;
    this.#tests = patterns.map((pattern) => [pattern, matcher(pattern, budget)]);
  }

  /** Forgets the names of one backup before the next one. */
  renew(): void {
    this.#known.clear();
    this.#budget.renew();
  }

  /**
   * Returns true if a name matches any of the patterns.
   *
   * @throws TntarError of kind `usage` if the names take too long
   */
  fit(name: string): boolean {
    const answer = this.#known.get(name) ?? this.#tests.some(([, fits]) => fits(name));
    this.#known.set(name, answer);
    return answer;
  }

  /** Returns the patterns that match no name. */
  idle(names: readonly string[]): string[] {
    return this.#tests.filter(([, fits]) => !names.some(fits)).map(([pattern]) => pattern);
  }
}

/**
 * Checks that each pattern matches a name.
 *
 * @throws TntarError of kind `usage` if patterns match no name
 */
export function checkIdle(idle: readonly string[], names: readonly string[]): void {
  if (idle.length === 0) return;
  throw new TntarError('usage', `no space matches ${patternList(idle)}`, {
    hint: `${thereAre(names)}; a pattern matches whole names, and * matches any characters`,
  });
}
