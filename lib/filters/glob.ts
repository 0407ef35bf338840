/**
 * Matches names against patterns in linear time with a limit. There is no backtracking, because the names come from
 * untrusted archives and servers.
 */
import { compile, PatternError, type Program, takes } from './glob-program.js';

export { PatternError } from './glob-program.js';

/** Returns true if a name matches. */
export type Test = (name: string) => boolean;

/** The longest pattern with special characters: longer than people write, and short enough for any name. */
export const LONGEST_PATTERN = 4096;

/**
 * The limit of steps of the patterns of a choice for the names of a backup. Together they take half a second, in
 * which no signal is handled. A character of a name takes one step. A position in a pattern takes four if it is
 * visited, once for each way that characters of names take through the pattern. 15,000 names of 20 characters take
 * 300,000 for a pattern at most.
 */
export const MAX_GLOB_STEPS = 20_000_000;

/** The number of steps for a position: its state is created and stored. */
const PLACE_STEPS = 4;

/** Counts the steps of several patterns, which share one limit. */
export class GlobBudget {
  #left = MAX_GLOB_STEPS;

  /** Resets the count for the names of another backup. */
  renew(): void {
    this.#left = MAX_GLOB_STEPS;
  }

  /**
   * Takes steps.
   *
   * @throws PatternError if too few are left
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new PatternError(
      `it takes more than ${MAX_GLOB_STEPS} steps to match the names of this backup`,
      'write a pattern with fewer stars and braces, or the names themselves',
    );
  }
}

/** The positions in a pattern where a match may be after some characters of a name. */
interface State {
  places: readonly number[];
  isAtEnd: boolean;
  /** True if any further characters match. */
  isCertain: boolean;
  /** The known states after one more character, by its class. */
  next: Map<number, State>;
}

/** The limit of positions in all known states of a pattern together, of some 10 bytes each. */
const MAX_KNOWN_PLACES = 500_000;
/** The memory of a state and its transition, in positions. */
const STATE_PLACES = 20;
const WAY_PLACES = 5;

/** Finds the states of a pattern when a name leads to them, and stores them. */
class Matcher {
  readonly #program: Program;
  readonly #budget: GlobBudget;
  /** The last step at which each position was reached. */
  readonly #reached: Int32Array;
  #step = 0;
  #states = new Map<string, State>();
  #first: State | undefined;
  #known = 0;

  constructor(program: Program, budget: GlobBudget) {
    this.#program = program;
    this.#budget = budget;
    this.#reached = new Int32Array(program.tokens.length + 1).fill(-1);
  }

  fits(name: string): boolean {
    this.#first ??= this.#stateOf([0]);
    let state = this.#first;
    const { alphabet } = this.#program;
    for (let pos = 0; pos < name.length; ) {
      if (state.isCertain) return true;
      if (state.places.length === 0) return false;
      const code = name.codePointAt(pos)!;
      pos += code > 0xffff ? 2 : 1;
      this.#budget.spend(1);
      const kind = alphabet.classOf(code);
      state = state.next.get(kind) ?? this.#after(state, code, kind);
    }
    return state.isAtEnd;
  }

  /** Returns the state after a character of a class. All characters of a class lead to the same one. */
  #after({ places, next }: State, code: number, kind: number): State {
    const { tokens } = this.#program;
    const starts: number[] = [];
    for (const place of places) {
      const token = tokens[place];
      if (token === undefined || !takes(token, code)) continue;
      starts.push(token.kind === 'star' ? place : place + 1);
    }
    this.#budget.spend(PLACE_STEPS * places.length);
    const state = this.#stateOf(starts);
    next.set(kind, state);
    this.#known += WAY_PLACES;
    return state;
  }

  /** Returns the state of these positions, and of all positions that they lead to without a character. */
  #stateOf(starts: readonly number[]): State {
    const { tokens, jumps, stars } = this.#program;
    this.#step++;
    let least = 0;
    let looked = 0;
    const all: number[] = [];
    const todo = [...starts];
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      looked++;
      if (this.#reached[place] === this.#step) continue;
      this.#reached[place] = this.#step;
      const targets = jumps.get(place);
      if (targets !== undefined) {
        for (const target of targets) todo.push(target);
        continue;
      }
      all.push(place);
      if (tokens[place]?.kind !== 'star') continue;
      if (stars.has(place)) least = Math.max(least, place);
      todo.push(place + 1);
    }
    this.#budget.spend(PLACE_STEPS * looked);
    // Positions before the last reached star lead to no match that the star does not lead to.
    const places = all.filter((place) => place >= least).sort((a, b) => a - b);
    const key = places.join();
    return this.#states.get(key) ?? this.#remember(key, places);
  }

  #remember(key: string, places: readonly number[]): State {
    const size = places.length + STATE_PLACES;
    if (this.#known + size > MAX_KNOWN_PLACES) {
      this.#states = new Map();
      this.#first = undefined;
      this.#known = 0;
    }
    const isAtEnd = places.at(-1) === this.#program.tokens.length;
    const isCertain = isAtEnd && this.#program.tokens[places.at(-2)!]?.kind === 'star';
    const state = { places, isAtEnd, isCertain, next: new Map() };
    this.#states.set(key, state);
    this.#known += size;
    return state;
  }
}

/**
 * Compiles a pattern of whole names: `*` matches any characters or none, `?` one code point, `[a-z_]` one of a set,
 * `[!a-z]` and `[^a-z]` one that is not in it, and `{a,b*}` one of several patterns. A backslash makes the next
 * character ordinary. Everything else matches itself.
 *
 * @param budget - of all patterns of a run; the test throws a PatternError if it is spent
 * @throws PatternError for a pattern that is too long, or has classes such as `[[:alpha:]]`
 * @example
 * const isLog = glob('{app,web}_log_[0-9]*');
 * isLog('web_log_2024'); // true
 */
export function glob(pattern: string, budget = new GlobBudget()): Test {
  if (!/[\\?*[{]/.test(pattern)) return (name) => name === pattern;
  if (pattern.length > LONGEST_PATTERN) {
    throw new PatternError(
      `it has more than ${LONGEST_PATTERN} characters`,
      'write several shorter patterns',
    );
  }
  const matcher = new Matcher(compile(pattern), budget);
  return (name) => matcher.fits(name);
}
