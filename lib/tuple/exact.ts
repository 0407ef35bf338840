import { isUtf8 } from 'node:buffer';
import { Datetime } from './datetime.js';
import { Decimal } from './decimal.js';
import { Carried, Double, Float, Opaque, Raw, sized } from './exact-types.js';
import { integer, readInteger } from './integers.js';
import { Interval } from './interval.js';
import {
  arrayHeader,
  headerSize,
  isArray,
  isMap,
  isString,
  mapHeader,
  memberCount,
  skip,
  str,
} from './msgpack.js';
import { Uuid } from './uuid.js';

/**
 * A decoded value that encodes to the MessagePack type it came from. A number is an integer where it
 * is whole, and a float64 where not; a {@link Double} is a float64 that is whole. Integers beyond 2^53
 * are bigint, binary values Uint8Array, maps with other keys than strings Map; types that JavaScript has no
 * word for have classes: {@link Decimal}, {@link Datetime} and the like.
 *
 * @example
 * const values: ExactValue[] = [1, 2n ** 63n, new Double(1), Decimal.from('0.10'), null];
 */
export type ExactValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Carried
  | ExactValue[]
  | { [key: string]: ExactValue }
  | Map<ExactValue, ExactValue>;

/** Containers in each other: as deep as recursion goes safely, and far deeper than data is. */
const MAX_DEPTH = 512;

const NIL = Buffer.of(0xc0);
const FALSE = Buffer.of(0xc2);
const TRUE = Buffer.of(0xc3);

const EXTENSIONS: Readonly<Record<number, (payload: Buffer, raw: Buffer) => Carried | undefined>> =
  { 1: Decimal.read, 2: Uuid.read, 4: Datetime.read, 6: Interval.read };

/**
 * Decodes one whole value; what it gives shares no memory with `raw`. What is no valid UTF-8 stays
 * {@link Raw}; an extension that is unknown, or not as the server writes it, becomes {@link Opaque}. A map
 * becomes an object where all its keys are strings and an object keeps them in their order, else a Map;
 * with a key that is there twice it stays {@link Raw}.
 *
 * @throws RangeError where `raw` is not one whole value, or nests deeper than 512 containers
 * @example
 * decodeExact(Buffer.from([0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0])); // Double 1
 */
export function decodeExact(raw: Buffer): ExactValue {
  if (skip(raw, 0, raw.length) !== raw.length) {
    throw new RangeError('these bytes are not one whole MessagePack value');
  }
  return new Reader(raw).read();
}

/** An object moves keys such as '10' to its front, in the order of numbers. */
function hasOrder(object: object, pairs: readonly [string, ExactValue][]): boolean {
  if (!pairs.some(([key]) => /^\d/.test(key))) return true;
  return Object.keys(object).every((key, i) => key === pairs[i]![0]);
}

/** Walks through bytes that are known to be whole. */
class Reader {
  private pos = 0;
  private depth = 0;

  constructor(private readonly buf: Buffer) {}

  read(): ExactValue {
    const { buf, pos } = this;
    const code = buf[pos]!;
    if (isString(code)) return this.readString(code);
    if (isArray(code)) return this.nested(() => this.readArray());
    if (isMap(code)) return this.nested(() => this.readMap());
    this.pos = skip(buf, pos, buf.length);
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    if (code >= 0xc4 && code <= 0xc6) return this.copy(pos + 1 + (1 << (code - 0xc4)));
    if (code === 0xca) return Float.read(buf, pos);
    if (code === 0xcb) return this.readDouble(pos);
    const isExtension = (code >= 0xc7 && code <= 0xc9) || (code >= 0xd4 && code <= 0xd8);
    return isExtension ? this.readExtension(pos, code) : readInteger(buf, pos);
  }

  private readString(code: number): string | Raw {
    const { buf, pos } = this;
    const head = code < 0xd9 ? 1 : headerSize(buf, pos);
    const end = code < 0xd9 ? pos + 1 + (code & 0x1f) : skip(buf, pos, buf.length);
    this.pos = end;
    const text = buf.toString('utf8', pos + head, end);
    const valid = !text.includes('\ufffd') || isUtf8(buf.subarray(pos + head, end));
    return valid ? text : new Raw(buf.subarray(pos, end));
  }

  /** Of what is not a number all forms but the usual one have to keep their bytes. */
  private readDouble(pos: number): number | Double {
    const value = this.buf.readDoubleBE(pos + 1);
    const plain = Number.isNaN(value)
      ? this.buf.readBigUInt64BE(pos + 1) === 0x7ff8000000000000n
      : !Number.isInteger(value);
    return plain ? value : Double.read(this.buf, pos);
  }

  private readExtension(pos: number, code: number): Carried {
    const head = code >= 0xd4 ? 1 : headerSize(this.buf, pos);
    const type = this.buf.readInt8(pos + head);
    const raw = this.copy(pos);
    const payload = raw.subarray(head + 1);
    // its header may be a longer one than is needed
    return EXTENSIONS[type]?.(payload, raw) ?? Object.assign(new Opaque(type, payload), { raw });
  }

  /** The bytes from `start` to here. Who gets them may write to them, and not to the row. */
  private copy(start: number): Buffer {
    return Buffer.from(this.buf.subarray(start, this.pos));
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw tooDeep();
    const value = read();
    this.depth--;
    return value;
  }

  private enter(): number {
    const count = memberCount(this.buf, this.pos);
    this.pos += headerSize(this.buf, this.pos);
    return count;
  }

  private readArray(): ExactValue[] {
    const values: ExactValue[] = [];
    for (let count = this.enter(); count > 0; count--) values.push(this.read());
    return values;
  }

  private readMap(): ExactValue {
    const start = this.pos;
    const pairs: [ExactValue, ExactValue][] = [];
    for (let count = this.enter(); count > 0; count--) pairs.push([this.read(), this.read()]);
    const keys = new Set(pairs.map(([key]) => key));
    // a Map would lose all but the last of a key that is there twice
    if (keys.size !== pairs.length) return new Raw(this.buf.subarray(start, this.pos));
    if (!pairs.every((pair): pair is [string, ExactValue] => typeof pair[0] === 'string')) {
      return new Map(pairs);
    }
    // makes '__proto__' a key like others
    const object = Object.fromEntries(pairs);
    return hasOrder(object, pairs) ? object : new Map(pairs);
  }
}

/**
 * Encodes a value: numbers and lengths in their shortest form, what was decoded as it was.
 *
 * @throws TypeError for what MessagePack has no type for, RangeError for what does not fit
 * @example
 * encodeExact([1, 1.5, new Double(1), 2n ** 63n, new Date()]);
 */
export function encodeExact(value: unknown): Buffer {
  return encodeAt(value, 0);
}

function encodeAt(value: unknown, depth: number): Buffer {
  if (value === null) return NIL;
  switch (typeof value) {
    case 'boolean':
      return value ? TRUE : FALSE;
    case 'number':
      return Number.isInteger(value) ? integer(value) : new Double(value).raw;
    case 'bigint':
      return integer(value);
    case 'string':
      if (/\p{Surrogate}/u.test(value)) {
        throw new TypeError('half of a surrogate pair has no UTF-8: this string cannot be encoded');
      }
      return str(value);
    case 'object':
      return encodeObject(value, depth);
    default:
      throw new TypeError(`MessagePack has no ${typeof value}`);
  }
}

function encodeObject(value: object, depth: number): Buffer {
  if (value instanceof Carried) return value.raw;
  if (value instanceof Uint8Array) return Buffer.concat([sized(0xc4, value.length), value]);
  if (value instanceof Date) return Datetime.from(value).raw;
  if (depth >= MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) {
    const elements = Array.from(value, (each) => encodeAt(each, depth + 1));
    return Buffer.concat([arrayHeader(elements.length), ...elements]);
  }
  if (value instanceof Map) return encodePairs([...value], depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) {
    return encodePairs(Object.entries(value), depth);
  }
  throw new TypeError(`MessagePack has no ${value.constructor.name}`);
}

function encodePairs(pairs: readonly (readonly [unknown, unknown])[], depth: number): Buffer {
  const encoded = pairs.flat().map((each) => encodeAt(each, depth + 1));
  return Buffer.concat([mapHeader(pairs.length), ...encoded]);
}

function tooDeep(): RangeError {
  return new RangeError(`nests deeper than ${MAX_DEPTH} containers`);
}
