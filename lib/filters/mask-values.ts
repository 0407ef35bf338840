import { createHmac } from 'node:crypto';
import { fitOf } from '../schema/server/field-types.js';
import { type ExactValue, encode } from '../tuple/codec.js';
import { Datetime } from '../tuple/datetime.js';
import { Decimal } from '../tuple/decimal.js';
import { Double, Float, Opaque, Raw } from '../tuple/exact-types.js';
import { Interval } from '../tuple/interval.js';
import { isString, stringBytes } from '../tuple/msgpack.js';
import { Uuid } from '../tuple/uuid.js';

/** The length of a hash in a string or in binary data. 128 bits make collisions impossible in practice. */
const HASH_BYTES = 16;
const NANOSECONDS = 1_000_000_000;

/** The number of possible hashes of a number, by the kind of numbers in the field. */
const RANGES = {
  integers: 2n ** 64n,
  /** Each hash is a double and an integer. */
  doubles: 2n ** 53n,
  /** Each has 36 digits: 38 fit into the decimals of any server. */
  decimals: 10n ** 36n,
  /**
   * Each is an integer, a double and a decimal: the server compares a double with a decimal by its first 15 digits,
   * see `decimal_from_double()` in its `src/lib/core/decimal.c`.
   */
  numbers: 10n ** 15n,
} as const;

/** The kind of numbers that a field holds. Fields of one kind have the same hashes for the same numbers. */
export type Numbers = keyof typeof RANGES;

/** Returns the kind of numbers that a field holds, by its types in the format and in indexes, in lower case. */
export function numbersOf(types: readonly string[]): Numbers {
  if (types.some((type) => ['unsigned', 'integer', 'uint64'].includes(type))) {
    return 'integers';
  }
  if (types.includes('decimal')) return 'decimals';
  return types.some((type) => type === 'double' || type === 'float64') ? 'doubles' : 'numbers';
}

/**
 * Returns the same text for equal numbers: 1.50 is 1.5, and the integer 2 is the double 2.0. A double has the fewest
 * digits that distinguish it from all others, like a decimal that is equal to one.
 */
function canonical(value: bigint | number | Decimal): string {
  if (typeof value === 'number' && Number.isInteger(value)) return String(BigInt(value));
  const text = String(value);
  const plain = /e/.test(text) ? withoutExponent(text) : text;
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

function withoutExponent(text: string): string {
  try {
    return String(Decimal.from(text));
  } catch {
    return text; // no decimal is this small
  }
}

/** Returns the hash of a number as an integer with its sign. */
function hashedNumber(
  value: bigint | number | Decimal,
  numbers: Numbers,
  hash: (kind: string, text: string) => Buffer,
): bigint {
  const text = canonical(value);
  const range = RANGES[numbers];
  const least = BigInt(`0x${hash('number', text).toString('hex')}`);
  if (!text.startsWith('-')) return least % range;
  // The least integer of the server is -2^63.
  return -(least % (numbers === 'integers' ? range / 2n : range - 1n)) - 1n;
}

/**
 * Returns a hash of the same kind as the value. It cannot be reversed, and is always the same for the value and for
 * values that the server treats as equal. Null stays null. Datetimes are within the years 1970 to 2106.
 *
 * @throws TypeError for values that cannot be hashed: booleans, intervals, arrays, maps, unknown extensions
 * @example
 * hashed('ann@example.org', key, 'numbers'); // 32 hexadecimal digits
 */
export function hashed(value: ExactValue, key: Buffer, numbers: Numbers): ExactValue {
  const hash = (kind: string, text: string | Uint8Array): Buffer =>
    createHmac('sha256', key).update(`${kind}:`).update(text).digest();
  if (value === null) return null;
  if (typeof value === 'string') return hash('string', value).toString('hex', 0, HASH_BYTES);
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    return hashedNumber(value, numbers, hash);
  }
  if (typeof value === 'number') return new Double(Number(hashedNumber(value, numbers, hash)));
  if (value instanceof Double || value instanceof Float) {
    return new Double(Number(hashedNumber(value.value, numbers, hash)));
  }
  if (value instanceof Decimal) return Decimal.from(hashedNumber(value, numbers, hash));
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
  if (value instanceof Raw && isString(value.raw[0]!)) {
    return hash('string', stringBytes(value.raw, 0)).toString('hex', 0, HASH_BYTES);
  }
  throw new TypeError(`${nameOf(value)} has no hash`);
}

function nameOf(value: ExactValue): string {
  if (typeof value === 'boolean') return 'a boolean, which has only two values,';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Interval) return 'an interval';
  return value instanceof Opaque ? `an extension of type ${value.type}` : 'a map';
}

function whole(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new TypeError(`'${text}' is not a whole number`);
  return BigInt(text);
}

function double(text: string): Double {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new TypeError(`'${text}' is not a number`);
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

/** Types of fields that can hold a hash. {@link hashed} decides by the value. */
export const HASHABLE: ReadonlySet<string> = new Set([
  ...['string', 'scalar', 'any', 'unsigned', 'integer', 'number', 'uint64'],
  ...['double', 'float64', 'decimal', 'uuid', 'datetime', 'varbinary'],
]);

/** Readers of texts, by type. Values of other types cannot be written as text. */
const READERS: ReadonlyMap<string, (text: string) => ExactValue> = new Map(
  Object.entries<(text: string) => ExactValue>({
    string: asItIs,
    scalar: asItIs,
    any: asItIs,
    unsigned: unsigned(64n),
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
  }),
);

function readAs(text: string, type: string): ExactValue {
  const read = READERS.get(type);
  if (read === undefined) throw new TypeError('such a value cannot be written as text');
  return read(text);
}

/** Returns the narrowest type: the other types include all of its values, if there is such a type. */
const narrowest = (types: readonly string[]): string =>
  types.reduce((least, type) => (fitOf(type, least) === 'all' ? type : least));

/**
 * Reads a text as the value of a field.
 *
 * @param types - of the field, by its format and by its indexes, in lower case
 * @throws TypeError or RangeError if the field cannot hold it
 * @example
 * fixedValue('0', ['any', 'unsigned']); // 0n
 */
export function fixedValue(text: string, types: readonly string[]): ExactValue {
  const narrow = narrowest(types);
  const value = readAs(text, narrow);
  for (const type of types) {
    if (fitOf(narrow, type) === 'all') continue;
    const other = readAs(text, type);
    if (encode(other).equals(encode(value))) continue;
    throw new TypeError(`${text} is not the same value in all of them`);
  }
  return value;
}
