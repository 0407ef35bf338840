import { createHmac } from 'node:crypto';
import { Double, Float } from '../tuple/carried.js';
import { Datetime } from '../tuple/datetime.js';
import { Decimal } from '../tuple/decimal.js';
import type { ExactValue } from '../tuple/exact.js';
import { Uuid } from '../tuple/uuid.js';

/** Of a hash in a value of any length: 128 bits are enough for no two to meet. */
const HASH_BYTES = 16;
/** Bits of a whole number that a double holds. */
const DOUBLE_BITS = 53n;
/** Of a decimal: they fit into the 38 digits that any server takes. */
const DECIMAL_BYTES = 15;
const NANOSECONDS = 1_000_000_000;

/**
 * A value of the same kind, by which nobody finds the first, and always the same for it. Null and booleans
 * stay as they are; datetimes are within the years 1970 to 2106.
 *
 * @throws TypeError for what cannot be hashed: float32, intervals, arrays, maps, unknown extensions
 * @example
 * hashed('ann@example.org', key); // 32 hexadecimal digits
 */
export function hashed(value: ExactValue, key: Buffer): ExactValue {
  const hash = (kind: string, text: string | Uint8Array): Buffer =>
    createHmac('sha256', key).update(`${kind}:`).update(text).digest();
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return hash('string', value).toString('hex', 0, HASH_BYTES);
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    const bits = hash('integer', String(value)).readBigUInt64BE();
    return value < 0 ? -(bits >> 1n) - 1n : bits;
  }
  if (typeof value === 'number' || value instanceof Double) {
    const bits = BigInt.asUintN(
      Number(DOUBLE_BITS),
      hash('double', String(value)).readBigUInt64BE(),
    );
    return new Double(Number(value) < 0 ? -Number(bits) : Number(bits));
  }
  if (value instanceof Decimal) {
    const digits = BigInt(
      `0x${hash('decimal', decimalText(value)).toString('hex', 0, DECIMAL_BYTES)}`,
    );
    return Decimal.from(String(value).startsWith('-') ? -digits : digits);
  }
  if (value instanceof Datetime) {
    const { seconds, nanoseconds } = value;
    const bits = hash('datetime', `${seconds}.${nanoseconds}`);
    return Datetime.from({
      seconds: BigInt(bits.readUInt32BE()),
      nanoseconds: bits.readUInt32BE(4) % NANOSECONDS,
    });
  }
  if (value instanceof Uuid) {
    return Uuid.fromBytes(hash('uuid', value.toString()).subarray(0, HASH_BYTES));
  }
  if (value instanceof Uint8Array) return hash('binary', value).subarray(0, HASH_BYTES);
  throw new TypeError('only strings, numbers, uuids, datetimes and binary values can be hashed');
}

/** The same for decimals that are equal: 1.50 is 1.5. */
function decimalText(value: Decimal): string {
  const text = String(value);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function whole(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new TypeError(`'${text}' is no whole number`);
  return BigInt(text);
}

function double(text: string): Double {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new TypeError(`'${text}' is no number`);
  return new Double(value);
}

function boolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new TypeError(`'${text}' is not true or false`);
  return text === 'true';
}

function between(least: bigint, most: bigint): (text: string) => bigint {
  return (text) => {
    const value = whole(text);
    if (value >= least && value <= most) return value;
    throw new RangeError(`${value} is not between ${least} and ${most}`);
  };
}

const unsigned = (bits: bigint): ReturnType<typeof between> => between(0n, 2n ** bits - 1n);
const signed = (bits: bigint): ReturnType<typeof between> =>
  between(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n);
const integer = between(-(2n ** 63n), 2n ** 64n - 1n);
const asItIs = (text: string): string => text;

/** Types of fields that can hold a hash; which values have one, {@link hashed} tells. */
export const HASHABLE: ReadonlySet<string> = new Set([
  ...['string', 'str', 'scalar', 'any', 'unsigned', 'num', 'integer', 'number', 'uint64'],
  ...['double', 'float64', 'decimal', 'uuid', 'datetime', 'varbinary'],
]);

/** How a text is read for a field of a type: no others can be written as text. */
const READERS: Readonly<Record<string, (text: string) => ExactValue>> = {
  string: asItIs,
  str: asItIs,
  scalar: asItIs,
  any: asItIs,
  unsigned: unsigned(64n),
  num: unsigned(64n),
  uint8: unsigned(8n),
  uint16: unsigned(16n),
  uint32: unsigned(32n),
  uint64: unsigned(64n),
  int8: signed(8n),
  int16: signed(16n),
  int32: signed(32n),
  int64: signed(64n),
  integer,
  number: (text) => (/^-?\d+$/.test(text) ? integer(text) : double(text)),
  double,
  float64: double,
  float32: (text) => new Float(double(text).value),
  decimal: Decimal.from,
  boolean,
  uuid: Uuid.from,
  datetime: Datetime.from,
  varbinary: (text) => Buffer.from(text),
};

/**
 * What a text stands for in a field.
 *
 * @param type - of the field, by its format, in lower case
 * @throws TypeError or RangeError where the field cannot hold it
 * @example
 * fixedValue('0', 'unsigned'); // 0n
 */
export function fixedValue(text: string, type: string): ExactValue {
  const read = READERS[type];
  if (read === undefined) throw new TypeError('no text stands for such a value');
  return read(text);
}
