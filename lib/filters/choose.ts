import { TntarError } from '../base/errors.js';
import { longListOf, shorten, thereAre } from '../base/report.js';
import { onlySpaces, withoutSpaces } from '../schema/select/selection.js';
import { MAX_NAME_BYTES } from '../schema/server/system-spaces.js';
import { GlobBudget, glob, PatternError, type Test } from './glob.js';
import type { Rewrite } from './rewrite.js';

/**
 * Which spaces are wanted, by patterns such as `app_*`, `log_?` or `{users,orders}`.
 *
 * @example
 * const choice: Choice = { only: ['app_*'], except: ['app_log', 'app_cache'] };
 */
export interface Choice {
  /** Only spaces of such names; all where there is no pattern. */
  only?: readonly string[];
  /** None of such names, also where one of the above fits. */
  except?: readonly string[];
  /** True where patterns may fit no space, as of one of two databases that are compared. */
  mayLack?: boolean;
}

/** Returns the error of a pattern that has no meaning, or takes too long. */
function patternError(pattern: string, error: unknown): unknown {
  if (!(error instanceof PatternError)) return error;
  const message = `cannot read the pattern '${shorten(pattern)}': ${error.message}`;
  return new TntarError('usage', message, { hint: error.hint });
}

/** A name that is written as it is fits also where it looks like a pattern. */
function matcher(pattern: string, budget: GlobBudget): Test {
  const fits = glob(pattern, budget);
  return (name) => {
    if (name === pattern) return true;
    try {
      return fits(name);
    } catch (error) {
      throw patternError(pattern, error);
    }
  };
}

/** Writes patterns for messages. */
export function showed(patterns: readonly string[]): string {
  return longListOf(patterns.map((pattern) => `'${pattern}'`));
}

/** Tells whether a name fits any of some patterns. Names are asked for more than once, and matched once. */
export function fitsAny(patterns: readonly string[]): Test {
  const budget = new GlobBudget();
  const tests = patterns.map((pattern) => matcher(pattern, budget));
  const known = new Map<string, boolean>();
  return (name) => {
    const answer = known.get(name) ?? tests.some((fits) => fits(name));
    known.set(name, answer);
    return answer;
  };
}

/** Tells whether a space is chosen, by its name. */
function isChosenBy({ only = [], except = [] }: Choice): Test {
  const [isWanted, isUnwanted] = [fitsAny(only), fitsAny(except)];
  return (name) => (only.length === 0 || isWanted(name)) && !isUnwanted(name);
}

/** @throws TntarError of kind `usage` for what can fit no name, or has no meaning as a pattern */
export function checkPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    if (pattern === '' || pattern.length > MAX_NAME_BYTES) {
      const which = pattern === '' ? 'an empty pattern' : `'${shorten(pattern)}'`;
      throw new TntarError('usage', `${which} fits no name of a space`);
    }
    try {
      glob(pattern);
    } catch (error) {
      throw patternError(pattern, error);
    }
  }
}

/** @throws TntarError of kind `usage` for a pattern that fits no name */
export function checkUsed(patterns: readonly string[], names: readonly string[]): void {
  const budget = new GlobBudget();
  const idle = patterns.filter((pattern) => !names.some(matcher(pattern, budget)));
  if (idle.length === 0) return;
  throw new TntarError('usage', `no space fits ${showed(idle)}`, {
    hint: `${thereAre(names)}; patterns are of whole names, and * stands for any characters`,
  });
}

/** @throws TntarError of kind `usage` for a pattern that fits no name, or where no space is left */
function checkMatches(choice: Choice, isChosen: Test, names: readonly string[]): void {
  const patterns = [...(choice.only ?? []), ...(choice.except ?? [])];
  checkUsed(patterns, names);
  if (patterns.length > 0 && names.length > 0 && !names.some(isChosen)) {
    const message = 'no space is chosen: what --space asks for, --exclude leaves out';
    throw new TntarError('usage', message, { hint: thereAre(names) });
  }
}

/**
 * Chooses spaces by name. Their rows are not looked into. With `only`, what the spaces need comes along
 * (sequences, functions, collations), and users, roles, grants and notes of applications do not.
 *
 * @returns it throws a TntarError of kind `usage`, before the first row, for a pattern that no space fits
 * @example
 * await dump(server, output, { rewrites: [chooseSpaces({ only: ['app_*'] })] });
 */
export function chooseSpaces(choice: Choice): Rewrite {
  const { only = [], except = [] } = choice;
  checkPatterns([...only, ...except]);
  const isKept = isChosenBy(choice);
  const words = [
    ...(only.length === 0 ? [] : [`only spaces ${showed(only)} and what they need`]),
    ...(except.length === 0 ? [] : [`no spaces ${showed(except)}`]),
  ];
  return {
    partial: words.join(', '),
    wants: isKept,
    head(head) {
      const names = head.manifest.spaces.map(({ name }) => name);
      if (choice.mayLack !== true) checkMatches(choice, isKept, names);
      const select = only.length === 0 ? withoutSpaces : onlySpaces;
      return select(head, ({ name }) => isKept(name));
    },
  };
}
