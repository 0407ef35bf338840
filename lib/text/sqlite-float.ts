import { floatText } from './scalars.js';

/** The number of digits that always fit into 64-bit integers, in which SQLite collects the digits of a number. */
const DIGITS = 18;
/** The number of digits that measure the distance between two neighboring numbers. */
const EXACT_DIGITS = 21;
/** Outside of this range, SQLite rounds a number twice. */
const LEAST = 1e-280;
const MOST = 1e280;
/** The largest relative error of SQLite, which multiplies in 64 bits up to 34 times. */
const MARGIN = 4e-18;

const view = new DataView(new ArrayBuffer(8));

/** Returns a number as an integer of 53 bits and a power of two: `ieee754()` of SQLite's `ext/misc/ieee754.c`. */
function inBits(value: number): string {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & (2n ** 52n - 1n);
  const whole = exponent === 0 ? fraction : fraction + 2n ** 52n;
  return `ieee754(${value < 0 ? '-' : ''}${whole},${Math.max(exponent, 1) - 1075})`;
}

/** Returns the digits of a non-negative number, up to {@link EXACT_DIGITS}, as an integer. */
function digitsOf(text: string): bigint {
  const digits = /^[^e]*/.exec(text)![0].replace('.', '').replace(/^0+/, '');
  return BigInt(digits.padEnd(EXACT_DIGITS, '0'));
}

/** Returns the mantissa of a float: a number between one and two that is multiplied by a power of two. */
function mantissa(value: number): number {
  view.setFloat64(0, value);
  view.setUint16(0, (view.getUint16(0) & 0x000f) | 0x3ff0);
  return view.getFloat64(0);
}

/** Returns true if a text is so close to its float that it cannot be read as the next one. */
function isClear(text: string, size: number): boolean {
  const exact = digitsOf(size.toPrecision(EXACT_DIGITS));
  const distance = Number(digitsOf(text) - exact) / Number(exact);
  return Math.abs(distance) + MARGIN < 2 ** -53 / mantissa(size);
}

/**
 * Returns a float as a literal that SQLite reads as the same float. `sqlite3AtoF()` of its `src/util.c` is not exact,
 * so the shortest digits of a float may be read as its neighbor. If the float is close to the middle between two
 * texts, it is written with more digits.
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
