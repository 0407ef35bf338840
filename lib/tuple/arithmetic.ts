import { Decimal as Calculator } from 'decimal.js';
import { decodeExact, type ExactValue, encode } from './codec.js';
import { Decimal, MAX_DIGITS } from './decimal.js';
import { Double, Float, sized } from './exact-types.js';
import { isString, stringBytes } from './msgpack.js';

/** Computes like the server's `src/lib/core/decimal.c`: with all digits, and halves rounded away from zero. */
const Exact = Calculator.clone({ precision: MAX_DIGITS, rounding: Calculator.ROUND_HALF_UP });

/**
 * Adds or subtracts numbers of the server's types (`xrow_update_op_do_arith` of `src/box/xrow_update_field.c`): the
 * result is a decimal if either is one, else an exact integer, else a float32 if that holds the result, else a
 * float64. DiffResult from the server, which loses digits or needs the format of the space:
 *
 * - a float64 in the operation gives a float64. The server makes a float32 of the same value if it can, except in a
 *   field of type `double`, which does not accept one in 2.6
 * - in a field of type `float32` the server rounds. Here a result that does not fit is a float64, which such a field
 *   does not accept: set it to a `new Float`
 * - a double with a decimal counts with all its digits; the server uses 15
 * - a decimal has up to 76 digits, and on 2.11 up to 38; see {@link Decimal.from}
 *
 * @example
 * calculate('+', Buffer.of(1), 2); // <03>
 */
export function calculate(operator: '+' | '-', raw: Buffer, operand: unknown): Buffer {
  const left = decodeExact(raw);
  // An operand has the type that it would be written with.
  const right = decodeExact(encode(operand));
  const values = [left, right];
  if (!values.every(isNumeric)) {
    throw new TypeError(`'${operator}' takes numbers`);
  }
  if (left instanceof Decimal || right instanceof Decimal) {
    const [a, b] = [new Exact(String(left)), new Exact(String(right))];
    const result = operator === '+' ? a.plus(b) : a.minus(b);
    const scale = Math.max(...values.map((each) => (each instanceof Decimal ? each.scale : 0)));
    if (!result.isFinite()) throw new TypeError(`'${operator}': a decimal is finite`);
    // Zeros after the point are kept if there are digits for them.
    const room = MAX_DIGITS - Math.max(result.e + 1, 0);
    return Decimal.from(result.toFixed(Math.max(Math.min(scale, room), result.decimalPlaces())))
      .raw;
  }
  if (values.every(isInteger)) {
    const [a, b] = [BigInt(left as number), BigInt(right as number)];
    return encode(operator === '+' ? a + b : a - b);
  }
  const [a, b] = [Number(left), Number(right)];
  const result = operator === '+' ? a + b : a - b;
  const isShort =
    !values.some(isDouble) && Number.isFinite(result) && Math.fround(result) === result;
  return isShort ? new Float(result).raw : new Double(result).raw;
}

/**
 * Combines the bits of two unsigned integers.
 *
 * @example
 * bits('&', Buffer.of(6), 3); // <02>
 */
export function bits(operator: '&' | '|' | '^', raw: Buffer, operand: unknown): Buffer {
  const [a, b] = [decodeExact(raw), decodeExact(encode(operand))];
  if (!isInteger(a) || !isInteger(b) || a < 0 || b < 0) {
    throw new TypeError(`'${operator}' takes unsigned integers`);
  }
  const [x, y] = [BigInt(a), BigInt(b)];
  if (operator === '&') return encode(x & y);
  return encode(operator === '|' ? x | y : x ^ y);
}

/**
 * Replaces `length` bytes of a string or of a binary value by `pasted`. As in the server, a negative position counts
 * from the end (-1 is after the last byte), and a negative length keeps as many bytes at the end.
 *
 * @example
 * splice(str('abc'), 1, 1, 'xyz'); // 'axyzc'
 */
export function splice(
  raw: Buffer,
  position: number,
  length: number,
  pasted: string | Uint8Array,
): Buffer {
  const [bytes, between] = [bytesOf(raw), bytesOf(encode(pasted))];
  if (bytes === undefined || between === undefined) {
    throw new TypeError("':' takes strings and binary values");
  }
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(length)) {
    throw new TypeError("':' takes whole numbers for position and length");
  }
  const size = bytes.length;
  const start = position < 0 ? position + size + 1 : Math.min(position, size);
  if (start < 0) throw new RangeError(`':' at ${position} is before the beginning`);
  const rest = size - start;
  const cut = length < 0 ? Math.max(0, rest + length) : Math.min(length, rest);
  const body = Buffer.concat([bytes.subarray(0, start), between, bytes.subarray(start + cut)]);
  return Buffer.concat([
    isString(raw[0]!) ? stringHeader(body.length) : sized(0xc4, body.length),
    body,
  ]);
}

/** Returns the bytes of a string or a binary value. */
function bytesOf(raw: Buffer): Uint8Array | undefined {
  if (isString(raw[0]!)) return stringBytes(raw, 0);
  const value = decodeExact(raw);
  return value instanceof Uint8Array ? value : undefined;
}

function stringHeader(length: number): Buffer {
  return length < 32 ? Buffer.of(0xa0 | length) : sized(0xd9, length);
}

function isInteger(value: ExactValue): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function isDouble(value: ExactValue): boolean {
  return value instanceof Double || (typeof value === 'number' && !Number.isInteger(value));
}

function isNumeric(value: ExactValue): boolean {
  return isInteger(value) || isDouble(value) || value instanceof Float || value instanceof Decimal;
}
