/** The reason why an expression has no answer for a row. `||`, `&&` and loops may find an answer without it. */
export class Unanswered extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A fraction of two integers: the value of a decimal. */
export class Ratio {
  /** @param bottom - greater than 0 */
  constructor(
    readonly top: bigint,
    readonly bottom: bigint,
  ) {}

  /**
   * Reads a decimal number.
   *
   * @param text - a decimal number, optionally with an exponent
   * @example
   * Ratio.from('-1.50'); // -150 / 100
   */
  static from(text: string): Ratio {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text) ?? [];
    const digits = BigInt(`${sign}${whole}${fraction}`);
    const scale = fraction.length - Number(exponent);
    if (scale < 0) return new Ratio(digits * 10n ** BigInt(-scale), 1n);
    return new Ratio(digits, 10n ** BigInt(scale));
  }

  toString(): string {
    return `${this.top}/${this.bottom}`;
  }
}

/** An integer, a double or a decimal. */
export type ExpressionNumber = bigint | number | Ratio;

/** The limit of integers. Rows hold values below 2^64, and products of larger ones would take too long. */
const LARGEST = 2n ** 4096n;

/** Returns an integer unchanged, unless it is too large. */
export function bounded(value: bigint): bigint {
  if (value < LARGEST && value > -LARGEST) return value;
  throw new Unanswered('a whole number has more than 4,096 bits');
}

const signOf = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0);

const compareRatios = (a: Ratio, b: Ratio): number => signOf(a.top * b.bottom - b.top * a.bottom);

/** Returns the exact value of a finite double. */
function exactRatio(double: number): Ratio {
  let bottom = 1n;
  let top = double;
  for (; !Number.isInteger(top); top *= 2) bottom *= 2n;
  return new Ratio(BigInt(top), bottom);
}

/**
 * Compares a decimal with a double. A double such as 0.1 is close to the decimal 0.1 but not equal to it. There is no
 * answer if the result would differ between the two.
 */
function compareWithDouble(decimal: Ratio, double: number): number {
  if (Number.isNaN(double)) return Number.NaN;
  if (!Number.isFinite(double)) return double > 0 ? -1 : 1;
  const exact = compareRatios(decimal, exactRatio(double));
  if (exact === compareRatios(decimal, Ratio.from(String(double)))) return exact;
  throw new Unanswered(
    `a decimal and the double ${double} cannot be compared exactly`,
    'compare the decimal with a whole number, or use --filter',
  );
}

/**
 * Compares two numbers by their exact values.
 *
 * @returns below 0, 0 or above 0, as the two are ordered; NaN if one of them is NaN
 * @throws Unanswered for a decimal and a double that is close to it
 * @example
 * compareNumbers(2n ** 53n + 1n, 2 ** 53); // 1
 */
export function compareNumbers(a: ExpressionNumber, b: ExpressionNumber): number {
  if (a instanceof Ratio) {
    if (typeof b === 'number') return compareWithDouble(a, b);
    return compareRatios(a, b instanceof Ratio ? b : new Ratio(b, 1n));
  }
  if (b instanceof Ratio) return -compareNumbers(b, a);
  // JavaScript compares a bigint with a number without rounding.
  if (a < b) return -1;
  if (a > b) return 1;
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
}
