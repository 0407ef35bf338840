import { readInteger } from '../tuple/integers.js';
import { headerSize, INCOMPLETE, isInteger, isString, skip } from '../tuple/msgpack.js';

/**
 * Compares keys in the order of the server's indexes of every type. The order is that of `scalar`, which includes all
 * other types.
 *
 * Source: `tuple_compare_field()` and `mp_compare_scalar()` of the server's `src/box/tuple_compare.cc`.
 */

/** The order of values of different types; `enum mp_class` of that file. */
const Class = {
  NIL: 0,
  BOOLEAN: 1,
  NUMBER: 2,
  STRING: 3,
  BINARY: 4,
  UUID: 5,
  DATETIME: 6,
  OTHER: 7,
} as const;

/** Types of extensions, from `src/lib/core/mp_extension_types.h`. */
const DECIMAL = 1;
const UUID = 2;
const DATETIME = 4;

/** The longest decimal of a server in bytes. An archive may claim more. */
const MAX_DECIMAL_BYTES = 64;

const FLOAT32 = 0xca;
const FLOAT64 = 0xcb;

/**
 * Returns the offset of the contents of a string, a binary value or an extension. The type of an extension is not
 * part of them.
 */
function content(buf: Buffer, offset: number): number {
  const code = buf[offset]!;
  // The code of a short string includes its length, as headerSize knows.
  return offset + headerSize(buf, offset) + (isExtension(code) ? 1 : 0);
}

function isExtension(code: number): boolean {
  return (code >= 0xc7 && code <= 0xc9) || (code >= 0xd4 && code <= 0xd8);
}

function extensionType(buf: Buffer, offset: number): number {
  return buf.readInt8(offset + headerSize(buf, offset));
}

function classOf(buf: Buffer, offset: number): number {
  const code = buf[offset]!;
  if (isInteger(code) || code === FLOAT32 || code === FLOAT64) return Class.NUMBER;
  if (isString(code)) return Class.STRING;
  if (code === 0xc0) return Class.NIL;
  if (code === 0xc2 || code === 0xc3) return Class.BOOLEAN;
  if (code >= 0xc4 && code <= 0xc6) return Class.BINARY;
  if (!isExtension(code)) return Class.OTHER;
  const size = skip(buf, offset, buf.length) - content(buf, offset);
  switch (extensionType(buf, offset)) {
    case DECIMAL:
      return size <= MAX_DECIMAL_BYTES ? Class.NUMBER : Class.OTHER;
    case UUID:
      return Class.UUID;
    case DATETIME:
      return size === 8 || size === 16 ? Class.DATETIME : Class.OTHER;
    default:
      return Class.OTHER;
  }
}

/** A decimal in the form of the server: `digits * 10 ** -scale`. */
interface Scaled {
  digits: bigint;
  scale: number;
}

/** Reads a decimal: the scale, digits of four bits, the sign. Source: the server's `src/lib/core/mp_decimal.c`. */
function readDecimal(buf: Buffer, offset: number): Scaled {
  const end = skip(buf, offset, buf.length);
  const start = content(buf, offset);
  const packed = start < end && isInteger(buf[start]!) ? skip(buf, start, end) : INCOMPLETE;
  const match = packed < 0 ? null : /^(\d+)([a-f])$/.exec(buf.toString('hex', packed, end));
  const [, digits = '0', mark = 'c'] = match ?? [];
  const size = BigInt(digits);
  const scale = packed < 0 ? 0 : Number(readInteger(buf, start));
  return { digits: 'bd'.includes(mark) ? -size : size, scale };
}

/**
 * The number of digits of a double that are compared: `DBL_DIG` in `decimal_from_double()` of
 * `src/lib/core/decimal.c`.
 */
const DOUBLE_DIGITS = 15;

function scaledOf(double: number): Scaled {
  const [mantissa = '0', exponent = '0'] = double.toExponential(DOUBLE_DIGITS - 1).split('e');
  return { digits: BigInt(mantissa.replace('.', '')), scale: DOUBLE_DIGITS - 1 - Number(exponent) };
}

const sign = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** The largest valid scale. More would be a number of as many digits. */
const MAX_SCALE = 512;

function compareScaled(a: Scaled, b: Scaled): number {
  const least = Math.min(a.scale, b.scale);
  const [up, down] = [a.scale - least, b.scale - least].map((by) => Math.min(by, MAX_SCALE));
  return sign(a.digits * 10n ** BigInt(down!), b.digits * 10n ** BigInt(up!));
}

/** Reads a number that is not a decimal. */
function readPlain(buf: Buffer, offset: number): number | bigint {
  const code = buf[offset]!;
  if (code === FLOAT64) return buf.readDoubleBE(offset + 1);
  return code === FLOAT32 ? buf.readFloatBE(offset + 1) : readInteger(buf, offset);
}

/** No decimal is larger: 10 to the power of `DECIMAL_MAX_DIGITS` of 3.9. */
const HUGE = 1e76;

function compareDecimal(a: Scaled, b: Buffer, offset: number): number {
  const code = b[offset]!;
  if (isExtension(code)) return compareScaled(a, readDecimal(b, offset));
  if (isInteger(code)) {
    return compareScaled(a, { digits: BigInt(readInteger(b, offset)), scale: 0 });
  }
  const double = readPlain(b, offset) as number;
  if (!(Math.abs(double) < HUGE)) return double > 0 ? -1 : 1;
  const byHint = sign(hintOf(wholeOf(a)), hintOf(BigInt(Math.trunc(double))));
  return byHint === 0 ? compareScaled(a, scaledOf(double)) : byHint;
}

/** Returns the part before the decimal point. */
function wholeOf({ digits, scale }: Scaled): bigint {
  const power = 10n ** BigInt(Math.min(Math.abs(scale), MAX_SCALE));
  return scale > 0 ? digits / power : digits * power;
}

/** An index first compares the part of a number before the point, up to this limit: `HINT_VALUE_INT_MAX`. */
const HINT_MAX = 2n ** 59n - 1n;

function hintOf(whole: bigint): bigint {
  if (whole > HINT_MAX) return HINT_MAX;
  return whole < -HINT_MAX - 1n ? -HINT_MAX - 1n : whole;
}

/** Compares numbers. NaN comes before all numbers. */
function compareNumbers(a: Buffer, aOffset: number, b: Buffer, bOffset: number): number {
  if (isExtension(a[aOffset]!)) return compareDecimal(readDecimal(a, aOffset), b, bOffset);
  if (isExtension(b[bOffset]!)) return -compareDecimal(readDecimal(b, bOffset), a, aOffset);
  const [left, right] = [readPlain(a, aOffset), readPlain(b, bOffset)];
  const isOdd = Number.isNaN(left) || Number.isNaN(right);
  // JavaScript compares a bigint with a double exactly, as the server does.
  return isOdd ? sign(+!Number.isNaN(left), +!Number.isNaN(right)) : sign(left, right);
}

/** Compares seconds, then nanoseconds. The time zone does not matter. */
function compareDatetimes(a: Buffer, aOffset: number, b: Buffer, bOffset: number): number {
  const [from, other] = [content(a, aOffset), content(b, bOffset)];
  const bySeconds = sign(a.readBigInt64LE(from), b.readBigInt64LE(other));
  if (bySeconds !== 0) return bySeconds;
  const nanoseconds = (buf: Buffer, at: number, offset: number): number =>
    skip(buf, offset, buf.length) - at > 8 ? buf.readInt32LE(at + 8) : 0;
  return sign(nanoseconds(a, from, aOffset), nanoseconds(b, other, bOffset));
}

/** Compares bytes. If one value is a prefix of the other, the shorter one comes first. */
function compareContents(a: Buffer, aOffset: number, b: Buffer, bOffset: number): number {
  const aEnd = skip(a, aOffset, a.length);
  const bEnd = skip(b, bOffset, b.length);
  return a.compare(b, content(b, bOffset), bEnd, content(a, aOffset), aEnd);
}

/**
 * Compares two values of keys at offsets of their buffers. Strings are compared byte by byte, as without a collation.
 *
 * @returns below 0 if `a` comes first, above 0 if `b` does, and 0 if the server treats them as equal
 * @example
 * compareValues(Buffer.of(1), 0, Buffer.of(0xa1, 0x61), 0); // -1: numbers come before strings
 */
export function compareValues(a: Buffer, aOffset: number, b: Buffer, bOffset: number): number {
  const [left, right] = [a[aOffset]!, b[bOffset]!];
  if (left <= 0x7f && right <= 0x7f) return left - right;
  const kind = classOf(a, aOffset);
  const other = classOf(b, bOffset);
  if (kind !== other) return kind - other;
  switch (kind) {
    case Class.NUMBER:
      return compareNumbers(a, aOffset, b, bOffset);
    case Class.NIL:
      return 0;
    case Class.BOOLEAN:
      return left - right;
    case Class.DATETIME:
      return compareDatetimes(a, aOffset, b, bOffset);
    case Class.OTHER: {
      const aEnd = skip(a, aOffset, a.length);
      return a.compare(b, bOffset, skip(b, bOffset, b.length), aOffset, aEnd);
    }
    default:
      return compareContents(a, aOffset, b, bOffset);
  }
}
