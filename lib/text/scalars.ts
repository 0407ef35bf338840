import { decodeExact } from '../tuple/codec.js';
import type { Datetime } from '../tuple/datetime.js';
import type { Carried } from '../tuple/exact-types.js';
import { readInteger } from '../tuple/integers.js';
import { headerSize, isArray, isInteger, isMap, isString, skip } from '../tuple/msgpack.js';
import type { TextBuffer } from './buffer.js';
import { zoneName } from './zones.js';

/** What a value is, as far as its text is concerned. */
export const Kind = {
  NIL: 0,
  BOOLEAN: 1,
  INTEGER: 2,
  /** Of 32 bits or 64. */
  FLOAT: 3,
  STRING: 4,
  BINARY: 5,
  ARRAY: 6,
  MAP: 7,
  EXTENSION: 8,
} as const;

function kindOf(code: number): number {
  if (isInteger(code)) return Kind.INTEGER;
  if (isString(code)) return Kind.STRING;
  if (isArray(code)) return Kind.ARRAY;
  if (isMap(code)) return Kind.MAP;
  if (code === 0xc2 || code === 0xc3) return Kind.BOOLEAN;
  if (code >= 0xc4 && code <= 0xc6) return Kind.BINARY;
  if (code === 0xca || code === 0xcb) return Kind.FLOAT;
  return code === 0xc0 ? Kind.NIL : Kind.EXTENSION;
}

/** The kind of a value by its first byte. */
export const KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => kindOf(code));

/** What values of a kind are called in messages. */
export const KIND_NAMES = [
  'null',
  'a boolean',
  'an integer',
  'a float',
  'a string',
  'a binary value',
  'an array',
  'a map',
  'an extension',
] as const;

/** Where the bytes of a string or a binary value begin, whose header is at `pos`. */
export function bodyStart(buf: Buffer, pos: number): number {
  return pos + headerSize(buf, pos);
}

/** Writes the integer at `pos`: all digits of it. */
export function writeInteger(text: TextBuffer, buf: Buffer, pos: number): void {
  const code = buf[pos]!;
  text.integer(code < 0x80 ? code : readInteger(buf, pos));
}

/** The float at `pos`, of 32 bits or 64. */
export function readFloat(buf: Buffer, pos: number): number {
  return buf[pos] === 0xca ? buf.readFloatBE(pos + 1) : buf.readDoubleBE(pos + 1);
}

/**
 * A float by as many digits as tell it from all others of 64 bits. A whole one has a point or an exponent
 * nevertheless, so it is no integer.
 *
 * @example
 * floatText(1); // '1.0'
 */
export function floatText(value: number): string {
  if (!Number.isInteger(value)) return String(value); // NaN, Infinity and -Infinity, too
  const digits = Object.is(value, -0) ? '-0' : String(value);
  return digits.includes('e') ? digits : `${digits}.0`;
}

/** Below this, what has two digits behind the point at most is written without a call. */
const SHORT = 1_000_000_000;

/**
 * Writes a float as {@link floatText} has it. A decimal of 15 digits at most is the only such one that its
 * double reads as: so where a hundredth of a whole number gives the same double, its digits are the fewest.
 */
export function writeFloat(text: TextBuffer, value: number): void {
  const hundreds = Math.abs(value) * 100;
  const isShort = hundreds < SHORT * 100 && hundreds === Math.floor(hundreds);
  if (!isShort || value === 0 || hundreds / 100 !== Math.abs(value)) {
    text.latin1(floatText(value));
    return;
  }
  if (value < 0) text.byte(0x2d);
  const whole = Math.floor(hundreds / 100);
  const rest = hundreds - whole * 100;
  text.integer(whole);
  text.byte(0x2e);
  const tenths = Math.floor(rest / 10);
  text.byte(0x30 + tenths);
  if (rest > tenths * 10) text.byte(0x30 + rest - tenths * 10);
}

/** The offset behind the string at `pos`. */
export function stringEnd(buf: Buffer, pos: number): number {
  const code = buf[pos]!;
  if (code < 0xc0) return pos + 1 + (code & 0x1f);
  return code === 0xd9 ? pos + 2 + buf[pos + 1]! : skip(buf, pos, buf.length);
}

/** The extension whose bytes are from `pos` to `end`. */
export function readExtension(buf: Buffer, pos: number, end: number): Carried {
  return decodeExact(buf.subarray(pos, end)) as Carried;
}

/**
 * ISO 8601 with nanoseconds where there are any, and the offset; behind it the name of the zone in brackets
 * where there is one (RFC 9557).
 *
 * @example
 * datetimeText(datetime); // '2024-02-29T12:00:00.500000000+03:00[Europe/Moscow]'
 */
export function datetimeText(datetime: Datetime): string {
  const { tzIndex } = datetime;
  return tzIndex === 0 ? String(datetime) : `${datetime}[${zoneName(tzIndex)}]`;
}
