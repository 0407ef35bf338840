import { floatText } from './scalars.js';

/** The digits that 64-bit integers hold for certain, in which SQLite gathers those of a number. */
const DIGITS = 18;
/** As many digits as tell the distance between two numbers that are nearly the same. */
const EXACT_DIGITS = 21;
/** Outside of these, SQLite rounds a number twice on the way. */
const LEAST = 1e-280;
const MOST = 1e280;
/** What SQLite may be off by, relative to the number: it multiplies in 64 bits, up to 34 times. */
const MARGIN = 4e-18;

const view = new DataView(new ArrayBuffer(8));

/** A number as a whole number of 53 bits and a power of two: `ieee754()` of SQLite's `ext/misc/ieee754.c`. */
function inBits(value: number): string {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & (2n ** 52n - 1n);
  const whole = exponent === 0 ? fraction : fraction + 2n ** 52n;
  return `ieee754(${value < 0 ? '-' : ''}${whole},${Math.max(exponent, 1) - 1075})`;
}

/** The digits of a number that is not negative, up to as many as {@link EXACT_DIGITS}, as a whole number. */
function digitsOf(text: string): bigint {
  const digits = /^[^e]*/.exec(text)![0].replace('.', '').replace(/^0+/, '');
  return BigInt(digits.padEnd(EXACT_DIGITS, '0'));
}

/** The number between one and two that a float is, times a power of two. */
function mantissa(value: number): number {
  view.setFloat64(0, value);
  view.setUint16(0, (view.getUint16(0) & 0x000f) | 0x3ff0);
  return view.getFloat64(0);
}

/** Tells whether a text is so close to the float it stands for that nobody takes it for the next one. */
function isClear(text: string, size: number): boolean {
  const exact = digitsOf(size.toPrecision(EXACT_DIGITS));
  const distance = Number(digitsOf(text) - exact) / Number(exact);
  return Math.abs(distance) + MARGIN < 2 ** -53 / mantissa(size);
}

/**
 * A float as a literal that SQLite reads as the same float. `sqlite3AtoF()` of its `src/util.c` is not exact, so the
 * fewest digits that stand for a float may be read as its neighbor: more of them are written where they are
 * close to the middle between the two.
 *
 * @example
 * sqliteFloat(0.1); // '0.1'
 * sqliteFloat(3.086565653187057e-15); // '3.08656565318705693e-15'
 */
export function sqliteFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  const size = Math.abs(value);
  if (size > 0 && (size < LEAST || size > MOST)) return inBits(value);
  const short = floatText(value);
  if (Number.isInteger(size) && size < Number.MAX_SAFE_INTEGER) return short;
  if (isClear(floatText(size), size)) return short;
  const exact = value.toPrecision(DIGITS);
  return /[.e]/.test(exact) ? exact : `${exact}.0`;
}
