import { decodeExact } from '../tuple/codec.js';
import type { Datetime } from '../tuple/datetime.js';
import type { Carried } from '../tuple/exact-types.js';
import { readInteger } from '../tuple/integers.js';
import { headerSize, isArray, isInteger, isMap, isString, skip } from '../tuple/msgpack.js';
import type { TextBuffer } from './buffer.js';
import { zoneName } from './zones.js';

/** Kinds of values that differ in their text. */
export const Kind = {
  NIL: 0,
  BOOLEAN: 1,
  INTEGER: 2,
  /** A float of 32 or 64 bits. */
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

/** The kind of a value, by its first byte. */
export const KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => kindOf(code));

/** Names of kinds for messages. */
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

/** Returns the offset of the bytes of a string or a binary value with its header at `pos`. */
export function bodyStart(buf: Buffer, pos: number): number {
  return pos + headerSize(buf, pos);
}

/** Writes all digits of the integer at `pos`. */
export function writeInteger(text: TextBuffer, buf: Buffer, pos: number): void {
  const code = buf[pos]!;
  text.integer(code < 0x80 ? code : readInteger(buf, pos));
}

/** Reads the float of 32 or 64 bits at `pos`. */
export function readFloat(buf: Buffer, pos: number): number {
  return buf[pos] === 0xca ? buf.readFloatBE(pos + 1) : buf.readDoubleBE(pos + 1);
}

/**
 * Returns a float with the fewest digits that distinguish it from all others of 64 bits. A whole one has a point or
 * an exponent, so that it differs from an integer.
 *
 * @example
 * floatText(1); // '1.0'
 */
export function floatText(value: number): string {
  if (!Number.isInteger(value)) return String(value); // NaN, Infinity and -Infinity included
  const digits = Object.is(value, -0) ? '-0' : String(value);
  return digits.includes('e') ? digits : `${digits}.0`;
}

/** Smaller numbers with at most two digits after the point are written without a call. */
const SHORT = 1_000_000_000;

/**
 * Writes a float like {@link floatText}. A decimal of at most 15 digits is the only one of that length that reads as
 * its double: so if a hundredth of an integer gives the same double, its digits are the fewest.
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

/** Returns the offset after the string at `pos`. */
export function stringEnd(buf: Buffer, pos: number): number {
  const code = buf[pos]!;
  if (code < 0xc0) return pos + 1 + (code & 0x1f);
  return code === 0xd9 ? pos + 2 + buf[pos + 1]! : skip(buf, pos, buf.length);
}

/** Reads the extension with the bytes from `pos` to `end`. */
export function readExtension(buf: Buffer, pos: number, end: number): Carried {
  return decodeExact(buf.subarray(pos, end)) as Carried;
}

/**
 * Returns ISO 8601 with nanoseconds, if there are any, and the offset; then the name of the time zone in brackets, if
 * there is one (RFC 9557).
 *
 * @example
 * datetimeText(datetime); // '2024-02-29T12:00:00.500000000+03:00[Europe/Moscow]'
 */
export function datetimeText(datetime: Datetime): string {
  const { tzIndex } = datetime;
  return tzIndex === 0 ? String(datetime) : `${datetime}[${zoneName(tzIndex)}]`;
}
