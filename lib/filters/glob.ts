/**
 * Matches names against patterns in time that grows with the length of the name, and that has a limit. There is no
 * backtracking: the names come from archives and servers, which may be anybody's.
 */
import { compile, PatternError, type Program, takes } from './glob-program.js';

export { PatternError } from './glob-program.js';

/** Tells whether a name fits. */
export type Test = (name: string) => boolean;

/** The longest pattern with special characters: longer than people write, short enough for any name. */
export const LONGEST_PATTERN = 4096;

/**
 * Steps that the patterns of a choice may take for the names of a backup. They take half a second together, in which no
 * signal is handled. A character of a name takes one step. A place in a pattern takes four if it is looked at, which
 * happens once for each way that characters of names take through the pattern. 15,000 names of 20 characters take
 * 300,000 for a pattern at most.
 */
export const MAX_GLOB_STEPS = 20_000_000;

/** Steps for a place: its state is made and remembered. */
const PLACE_STEPS = 4;

/** Counts the steps of some patterns, so that together they take no longer than one may. */
export class GlobBudget {
  #left = MAX_GLOB_STEPS;

  /** Begins anew, for the names of another backup. */
  renew(): void {
    this.#left = MAX_GLOB_STEPS;
  }

  /** @throws PatternError where there are no more */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new PatternError(
      `it takes more than ${MAX_GLOB_STEPS} steps to match the names of this backup`,
      'write a pattern with fewer stars and braces, or the names themselves',
    );
  }
}

/** The places in a pattern at which a match may be, after some characters of a name. */
interface State {
  places: readonly number[];
  isAtEnd: boolean;
  /** True where any other characters may follow. */
  isCertain: boolean;
  /** The states after one more character, by its class, so far as they are known. */
  next: Map<number, State>;
}

/** The places that all known states of a pattern may have together, of some 10 bytes each. */
const MAX_KNOWN_PLACES = 500_000;
/** What a state and the way to another one take, in places. */
const STATE_PLACES = 20;
const WAY_PLACES = 5;

/** Finds the states of a pattern when a name leads there, and remembers them. */
class Matcher {
  readonly #program: Program;
  readonly #budget: GlobBudget;
  /** The last step at which each place was reached. */
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

  /** The state after a character of a class: any other of the class leads to the same one. */
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

  /** The state of these places and of all that they lead to without a character. */
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
    // Places before the last star that was reached lead to no match that it does not lead to, too.
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
 * Compiles a pattern of whole names: `*` stands for any characters, also for none, `?` for one code
 * point, `[a-z_]` for one of a set, `[!a-z]` and `[^a-z]` for one that is not in it, `{a,b*}` for one
 * of some patterns; a backslash takes its meaning from the next character. All else is itself.
 *
 * @param budget - of all patterns of a run; the test throws a PatternError where it is spent
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
