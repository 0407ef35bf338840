/**
 * Matches names against patterns in time that grows with the length of the name. There is no
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

/** The places in a pattern at which a match may be, after some characters of a name. */
class Places {
  readonly #program: Program;
  /** The last step at which each place was reached. */
  readonly #reached: Int32Array;
  #step = 0;
  /** Places before the last star that was reached lead to no match that it does not lead to, too. */
  #least = 0;
  #places: number[] = [];

  constructor(program: Program) {
    this.#program = program;
    this.#reached = new Int32Array(program.tokens.length + 1).fill(-1);
    this.#enter(0);
  }

  get isLost(): boolean {
    return this.#places.length === 0;
  }

  get isAtEnd(): boolean {
    return this.#places.includes(this.#program.tokens.length);
  }

  next(code: number): void {
    const { tokens } = this.#program;
    const before = this.#places;
    this.#places = [];
    this.#step++;
    for (const place of before) {
      const token = place < this.#least ? undefined : tokens[place];
      if (token === undefined || !takes(token, code)) continue;
      this.#enter(token.kind === 'star' ? place : place + 1);
    }
  }

  #enter(start: number): void {
    const { tokens, jumps, stars } = this.#program;
    const todo = [start];
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      if (this.#reached[place] === this.#step) continue;
      this.#reached[place] = this.#step;
      const targets = jumps.get(place);
      if (targets !== undefined) {
        todo.push(...targets);
        continue;
      }
      this.#places.push(place);
      if (tokens[place]?.kind !== 'star') continue;
      if (stars.has(place)) this.#least = Math.max(this.#least, place);
      todo.push(place + 1);
    }
  }
}

/**
 * Compiles a pattern of whole names: `*` stands for any characters, also for none, `?` for one code
 * point, `[a-z_]` for one of a set, `[!a-z]` and `[^a-z]` for one that is not in it, `{a,b*}` for one
 * of some patterns; a backslash takes its meaning from the next character. All else is itself.
 *
 * @throws PatternError for a pattern that is too long, or has classes such as `[[:alpha:]]`
 * @example
 * const isLog = glob('{app,web}_log_[0-9]*');
 * isLog('web_log_2024'); // true
 */
export function glob(pattern: string): Test {
  if (!/[\\?*[{]/.test(pattern)) return (name) => name === pattern;
  if (pattern.length > LONGEST_PATTERN) {
    throw new PatternError(
      `it has more than ${LONGEST_PATTERN} characters`,
      'write several shorter patterns',
    );
  }
  const program = compile(pattern);
  return (name) => {
    const places = new Places(program);
    for (const character of name) {
      places.next(character.codePointAt(0)!);
      if (places.isLost) return false;
    }
    return places.isAtEnd;
  };
}
