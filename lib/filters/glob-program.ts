/** Reads a pattern of names, and prepares it to be matched. */

/** The error of an unsupported pattern, with a hint. */
export class PatternError extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The first and the last code point of a range. */
type Range = readonly [number, number];

/** A set of characters, `[…]`. */
interface CharacterSet {
  kind: 'set';
  isNegated: boolean;
  /** The first code point of each range and the one after its last, ascending. */
  bounds: readonly number[];
}

/** A parsed part of a pattern. */
export type Token =
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
/** Characters that begin a class after a `[` inside of `[…]`. In a shell, classes depend on the locale. */
const CLASS_SIGNS = codesOf(':.=');
const KINDS: ReadonlyMap<number, 'any' | 'star' | 'open' | 'comma' | 'close'> = new Map([
  [0x3f, 'any'],
  [0x2a, 'star'],
  [0x7b, 'open'],
  [0x2c, 'comma'],
  [0x7d, 'close'],
]);

/** Returns the bounds of ranges in any order. A range from a later character to an earlier one is empty. */
function boundsOf(ranges: readonly Range[]): number[] {
  const sorted = ranges.filter(([from, to]) => from <= to).sort((a, b) => a[0] - b[0]);
  const bounds: number[] = [];
  for (const [from, to] of sorted) {
    const end = bounds.at(-1);
    if (end !== undefined && from <= end) bounds[bounds.length - 1] = Math.max(end, to + 1);
    else bounds.push(from, to + 1);
  }
  return bounds;
}

/** Reads the set after a `[`. Returns undefined if the set has no end. */
function readSet(codes: readonly number[], start: number): [CharacterSet, number] | undefined {
  let pos = start;
  const isNegated = NEGATIONS.includes(codes[pos]!);
  if (isNegated) pos++;
  const ranges: Range[] = [];
  const first = pos;
  /** One end of a range. */
  const readOne = (): number | undefined => {
    if (codes[pos] === BACKSLASH) pos++;
    else if (codes[pos] === BRACKET && CLASS_SIGNS.includes(codes[pos + 1]!)) {
      throw new PatternError(
        'classes such as [[:alpha:]] are not supported',
        'write a range: [a-z]',
      );
    }
    return codes[pos++];
  };
  while (pos < codes.length) {
    if (codes[pos] === END_BRACKET && pos > first) {
      return [{ kind: 'set', isNegated, bounds: boundsOf(ranges) }, pos + 1];
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

/** Returns how many of some ascending numbers are not greater than another number. */
function countUpTo(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of code points in the lookup table. */
const COMMON = 128;

/**
 * The classes of characters that a pattern distinguishes. All characters of a class lead to the same state, so that a
 * name of any characters leads to few states.
 */
class Alphabet {
  /** The first code point of each class but the first one. */
  readonly #starts: Int32Array;
  readonly #common: Int32Array;

  constructor(tokens: readonly Token[]) {
    const starts = new Set<number>();
    for (const token of tokens) {
      if (token.kind === 'character') starts.add(token.code).add(token.code + 1);
      else if (token.kind === 'set') {
        for (const bound of token.bounds) starts.add(bound);
      }
    }
    starts.delete(0);
    this.#starts = Int32Array.from(starts).sort();
    this.#common = Int32Array.from({ length: COMMON }, (_, code) => countUpTo(this.#starts, code));
  }

  classOf(code: number): number {
    return code < COMMON ? this.#common[code]! : countUpTo(this.#starts, code);
  }
}

/**
 * The positions that a position in a pattern leads to without a character: the beginnings or the end of alternatives.
 */
type Jumps = ReadonlyMap<number, readonly number[]>;

/** A pattern, ready to be matched. */
export interface Program {
  tokens: readonly Token[];
  alphabet: Alphabet;
  jumps: Jumps;
  /** The positions of stars outside of alternatives: each match passes all of them. */
  stars: ReadonlySet<number>;
}

/**
 * Compiles a pattern. Braces and commas without alternatives are ordinary characters.
 *
 * @throws PatternError for classes such as `[[:alpha:]]`
 */
export function compile(pattern: string): Program {
  const tokens = tokensOf(pattern);
  const jumps = new Map<number, readonly number[]>();
  const stars: number[] = [];
  /** The open braces with their commas, and the number of stars before each. */
  const open: { places: number[]; stars: number }[] = [];
  for (const [i, { kind }] of tokens.entries()) {
    if (kind === 'star') stars.push(i);
    else if (kind === 'open') open.push({ places: [i], stars: stars.length });
    else if (kind === 'comma') open.at(-1)?.places.push(i);
    else if (kind === 'close') {
      const { places, stars: before } = open.pop() ?? { places: [], stars: 0 };
      if (places.length < 2) continue;
      for (const comma of places.slice(1)) jumps.set(comma, [i + 1]);
      jumps.set(
        places[0]!,
        places.map((place) => place + 1),
      );
      jumps.set(i, [i + 1]);
      // A match passes one of the alternatives, and not the stars of the others.
      stars.length = before;
    }
  }
  const codes = new Map([...KINDS].map(([code, kind]) => [kind, code]));
  const plain = tokens.map((token, i): Token => {
    const { kind } = token;
    if (kind !== 'open' && kind !== 'comma' && kind !== 'close') return token;
    return jumps.has(i) ? token : { kind: 'character', code: codes.get(kind)! };
  });
  return { tokens: plain, alphabet: new Alphabet(plain), jumps, stars: new Set(stars) };
}

/** Returns true if a token matches a character. */
export function takes(token: Token, code: number): boolean {
  switch (token.kind) {
    case 'any':
    case 'star':
      return true;
    case 'character':
      return token.code === code;
    case 'set':
      return (countUpTo(token.bounds, code) % 2 === 1) !== token.isNegated;
    default:
      return false;
  }
}
