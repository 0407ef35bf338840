/**
 * Matches names against patterns in time that grows with the length of the name, and that has a limit. There is no
 * backtracking: the names come from archives and servers, which may be anybody's.
 */

/** Tells whether a name fits. */
export type Test = (name: string) => boolean;

/** The longest pattern with special characters: longer than people write, short enough for any name. */
export const LONGEST_PATTERN = 4096;

/** Classes of characters within `[…]`, which depend on the locale in a shell. */
const CLASS = /^\[[:.=]/;

/** A pattern that has no meaning here, with what to write instead. */
export class PatternError extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** A set of characters, `[…]`. */
interface CharacterSet {
  kind: 'set';
  isNegated: boolean;
  /** Pairs of the first and the last code point. */
  ranges: (readonly [number, number])[];
}

type Token =
  | { kind: 'character'; code: number }
  | { kind: 'any' | 'star' | 'open' | 'comma' | 'close' }
  | CharacterSet;

const codesOf = (text: string): number[] => Array.from(text, (each) => each.codePointAt(0)!);

const [BACKSLASH, HYPHEN, BRACKET, END_BRACKET] = codesOf('\\-[]') as [
  number,
  number,
  number,
  number,
];
const NEGATIONS = codesOf('!^');
const KINDS: ReadonlyMap<number, 'any' | 'star' | 'open' | 'comma' | 'close'> = new Map([
  [0x3f, 'any'],
  [0x2a, 'star'],
  [0x7b, 'open'],
  [0x2c, 'comma'],
  [0x7d, 'close'],
]);

/** Reads the set after a `[`. Returns undefined if the set has no end. */
function readSet(codes: readonly number[], start: number): [CharacterSet, number] | undefined {
  let pos = start;
  const isNegated = NEGATIONS.includes(codes[pos]!);
  if (isNegated) pos++;
  const ranges: CharacterSet['ranges'] = [];
  const first = pos;
  /** One end of a range. */
  const readOne = (): number | undefined => {
    if (codes[pos] === BACKSLASH) pos++;
    else if (
      codes[pos] === BRACKET &&
      CLASS.test(String.fromCodePoint(...codes.slice(pos, pos + 2)))
    ) {
      throw new PatternError('there are no classes such as [[:alpha:]]', 'write a range: [a-z]');
    }
    return codes[pos++];
  };
  while (pos < codes.length) {
    if (codes[pos] === END_BRACKET && pos > first) {
      return [{ kind: 'set', isNegated, ranges }, pos + 1];
    }
    const from = readOne();
    let to = from;
    const isRange =
      codes[pos] === HYPHEN && pos + 1 < codes.length && codes[pos + 1] !== END_BRACKET;
    if (isRange) {
      pos++;
      to = readOne();
    }
    if (from === undefined || to === undefined) return undefined;
    ranges.push([from, to]);
  }
  return undefined;
}

function tokensOf(pattern: string): Token[] {
  const codes = codesOf(pattern);
  const tokens: Token[] = [];
  let pos = 0;
  while (pos < codes.length) {
    const code = codes[pos++]!;
    if (code === BRACKET) {
      const set = readSet(codes, pos);
      if (set !== undefined) {
        tokens.push(set[0]);
        pos = set[1];
        continue;
      }
    }
    const kind = KINDS.get(code);
    if (kind !== undefined) tokens.push({ kind });
    else if (code === BACKSLASH && pos < codes.length) {
      tokens.push({ kind: 'character', code: codes[pos++]! });
    } else tokens.push({ kind: 'character', code });
  }
  return tokens;
}

/** What a place in a pattern leads to without a character: the beginnings or the end of alternatives. */
type Jumps = ReadonlyMap<number, readonly number[]>;

/** A pattern, ready to be matched. */
interface Program {
  tokens: readonly Token[];
  jumps: Jumps;
  /** Stars outside all alternatives: each match goes through all of them. */
  stars: ReadonlySet<number>;
}

/** Finds the alternatives; braces and commas that make none become characters. */
function compile(pattern: string): Program {
  const tokens = tokensOf(pattern);
  const jumps = new Map<number, readonly number[]>();
  const stars: number[] = [];
  const groups: [number, number][] = [];
  const open: number[][] = [];
  for (const [i, { kind }] of tokens.entries()) {
    if (kind === 'star') stars.push(i);
    else if (kind === 'open') open.push([i]);
    else if (kind === 'comma') open.at(-1)?.push(i);
    else if (kind === 'close') {
      const places = open.pop() ?? [];
      if (places.length < 2) continue;
      for (const comma of places.slice(1)) jumps.set(comma, [i + 1]);
      jumps.set(
        places[0]!,
        places.map((place) => place + 1),
      );
      jumps.set(i, [i + 1]);
      groups.push([places[0]!, i]);
    }
  }
  const codes = new Map([...KINDS].map(([code, kind]) => [kind, code]));
  const plain = tokens.map((token, i): Token => {
    const { kind } = token;
    if (kind !== 'open' && kind !== 'comma' && kind !== 'close') return token;
    return jumps.has(i) ? token : { kind: 'character', code: codes.get(kind)! };
  });
  const isOutside = (star: number): boolean =>
    groups.every(([start, end]) => star < start || star > end);
  return { tokens: plain, jumps, stars: new Set(stars.filter(isOutside)) };
}

function takes(token: Token, code: number): boolean {
  switch (token.kind) {
    case 'any':
    case 'star':
      return true;
    case 'character':
      return token.code === code;
    case 'set':
      return token.ranges.some(([from, to]) => from <= code && code <= to) !== token.isNegated;
    default:
      return false;
  }
}

/**
 * What may be matched in one run, in steps that take a second together. A character of a name takes one step, and three
 * for each place of the pattern that is looked at, if no name led to these places before. 15,000 names of 20 characters
 * take 300,000 for a pattern.
 */
export const MAX_GLOB_STEPS = 30_000_000;

/** Steps for a place: its state is made and remembered. */
const PLACE_STEPS = 3;

/** Counts the steps of some patterns, so that together they take no longer than one may. */
export class GlobBudget {
  #left = MAX_GLOB_STEPS;

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
  /** The states after one more character, so far as they are known. */
  next: Map<number, State>;
}

/** The places that all known states of a pattern may have together, of some 10 bytes each. */
const MAX_KNOWN_PLACES = 500_000;

/** Finds the states of a pattern when a name leads there, and remembers them. */
class Matcher {
  readonly #program: Program;
  readonly #budget: GlobBudget;
  /** The last step at which each place was reached. */
  readonly #reached: Int32Array;
  #step = 0;
  #states = new Map<string, State>();
  #known = 0;

  constructor(program: Program, budget: GlobBudget) {
    this.#program = program;
    this.#budget = budget;
    this.#reached = new Int32Array(program.tokens.length + 1).fill(-1);
  }

  fits(name: string): boolean {
    let state = this.#stateOf([0]);
    for (const character of name) {
      const code = character.codePointAt(0)!;
      this.#budget.spend(1);
      let next = state.next.get(code);
      if (next === undefined) {
        next = this.#after(state, code);
        state.next.set(code, next);
      }
      if (next.places.length === 0) return false;
      state = next;
    }
    return state.isAtEnd;
  }

  #after({ places }: State, code: number): State {
    const { tokens } = this.#program;
    const starts: number[] = [];
    for (const place of places) {
      const token = tokens[place];
      if (token === undefined || !takes(token, code)) continue;
      starts.push(token.kind === 'star' ? place : place + 1);
    }
    this.#budget.spend(PLACE_STEPS * places.length);
    return this.#stateOf(starts);
  }

  /** The state of these places and of all that they lead to without a character. */
  #stateOf(starts: readonly number[]): State {
    const { tokens, jumps, stars } = this.#program;
    this.#step++;
    let least = 0;
    const all: number[] = [];
    const todo = [...starts];
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
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
    this.#budget.spend(PLACE_STEPS * all.length);
    // Places before the last star that was reached lead to no match that it does not lead to, too.
    const places = all.filter((place) => place >= least).sort((a, b) => a - b);
    const key = places.join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#known + places.length > MAX_KNOWN_PLACES) {
      this.#states = new Map();
      this.#known = 0;
    }
    const state = { places, isAtEnd: places.at(-1) === tokens.length, next: new Map() };
    this.#states.set(key, state);
    this.#known += places.length;
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
