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
  isInteger,
  isMap,
  isString,
  mapHeader,
  memberCount,
  skip,
  str,
} from './msgpack.js';
import { Uuid } from './uuid.js';

/** A value of a type that JavaScript has, too. */
export type Scalar = null | boolean | number | bigint | string | Uint8Array;

/**
 * A decoded value that encodes to the MessagePack type it came from. A number is an integer if it is whole, and a
 * float64 if not; a {@link Double} is a float64 that is whole. Integers beyond 2^53 are bigints, binary values are
 * Uint8Array, and maps with other keys than strings are Map. Types that JavaScript does not have are classes:
 * {@link Decimal}, {@link Datetime} and the like.
 *
 * @example
 * const values: ExactValue[] = [1, 2n ** 63n, new Double(1), Decimal.from('0.10'), null];
 */
export type ExactValue =
  | Scalar
  | Carried
  | ExactValue[]
  | { [key: string]: ExactValue }
  | Map<ExactValue, ExactValue>;

/**
 * A value of a definition or of a reply, which is read and compared: a float is a number, unless it is whole and beyond
 * 2^53, and every map is an object. Extensions are {@link Opaque}. Tuples of users are never decoded to this.
 */
export type Value = Scalar | Opaque | Double | Value[] | { [key: string]: Value };

/** The limit of nested containers in data: safe for recursion, and far deeper than real data. */
const MAX_DEPTH = 512;
/** The limit of nested containers in definitions. */
const MAX_DEFINITION_DEPTH = 1000;

const NIL = Buffer.of(0xc0);
const FALSE = Buffer.of(0xc2);
const TRUE = Buffer.of(0xc3);

/**
 * Decodes one whole value of a definition or a reply. Integers beyond 2^53 become bigints, and whole floats beyond
 * 2^53 become {@link Double}. Keys become strings: for containers, bytes and extensions, the start of
 * their MessagePack in hexadecimal.
 *
 * @throws RangeError if `bytes` are not one whole MessagePack value, or nest deeper than 1000 containers
 * @example
 * decode(Buffer.from([0x81, 0x01, 0xc0])); // { '1': null }
 */
export function decode(bytes: Uint8Array): Value {
  return new DefinitionReader(whole(bytes), MAX_DEFINITION_DEPTH).read();
}

/**
 * Decodes one whole value. The result shares no memory with `raw`. A string that is not valid UTF-8 becomes
 * {@link Raw}; an extension that is unknown, or not as the server writes it, becomes {@link Opaque}. A map becomes an
 * object if all its keys are strings and an object keeps their order, otherwise a Map; with a duplicate key it
 * becomes {@link Raw}.
 *
 * @throws RangeError if `raw` is not one whole value, or nests deeper than 512 containers
 * @example
 * decodeExact(Buffer.from([0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0])); // Double 1
 */
export function decodeExact(raw: Buffer): ExactValue {
  return new ExactReader(whole(raw), MAX_DEPTH).read();
}

/**
 * Decodes one tuple into exact values: 5 and 5.0, and numbers of any size, stay apart.
 *
 * @throws RangeError if `raw` is not one whole array, or nests deeper than 512 containers
 * @example
 * for (const raw of eachTuple(batch.bytes)) console.log(decodeTuple(raw));
 */
export function decodeTuple(raw: Buffer): ExactValue[] {
  const values = decodeExact(raw);
  if (Array.isArray(values)) return values;
  throw new RangeError('these bytes are not a tuple');
}

function whole(bytes: Uint8Array): Buffer {
  if (skip(bytes, 0, bytes.length) !== bytes.length) {
    throw new RangeError('these bytes are not one whole MessagePack value');
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A value of which all but `V` is decoded in one way. */
type Decoded<V> = V | Scalar | Decoded<V>[];

/** Walks through bytes that are known to be whole. Subclasses read the types that are decoded in several ways. */
abstract class Reader<V> {
  protected pos = 0;
  #depth = 0;

  constructor(
    protected readonly buf: Buffer,
    private readonly maxDepth: number,
  ) {}

  read(): Decoded<V> {
    const { buf, pos } = this;
    const code = buf[pos]!;
    if (isString(code)) return this.readString(code);
    if (isArray(code)) return this.#nested(this.#readArray);
    if (isMap(code)) return this.#nested(this.readMap);
    this.pos = skip(buf, pos, buf.length);
    if (isInteger(code)) return readInteger(buf, pos);
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    if (code === 0xca) return this.readFloat(pos);
    if (code === 0xcb) return this.readDouble(pos);
    if (code >= 0xc4 && code <= 0xc6) return this.copy(pos + headerSize(buf, pos));
    return this.readExtension(pos);
  }

  protected abstract readString(code: number): V;
  protected abstract readMap(): V;
  protected abstract readFloat(pos: number): V;
  protected abstract readDouble(pos: number): V;
  /** Called when `this.pos` is after the extension that starts at `pos`. */
  protected abstract readExtension(pos: number): V;

  /** Copies the bytes from `start` to the current position. */
  protected copy(start: number): Buffer {
    return Buffer.from(this.buf.subarray(start, this.pos));
  }

  /** Enters the container at the current position, and returns the number of its members or pairs. */
  protected enter(): number {
    const count = memberCount(this.buf, this.pos);
    this.pos += headerSize(this.buf, this.pos);
    return count;
  }

  #readArray(): Decoded<V>[] {
    const values: Decoded<V>[] = [];
    for (let left = this.enter(); left > 0; left--) values.push(this.read());
    return values;
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > this.maxDepth) throw tooDeep(this.maxDepth);
    const value = read.call(this);
    this.#depth--;
    return value;
  }
}

/** The attributes of an ordinary property of an object. */
const OWN = { configurable: true, enumerable: true, writable: true };

/** The number of shown bytes of a key that is neither a string nor a number. */
const SHOWN_KEY_BYTES = 64;

class DefinitionReader extends Reader<Value> {
  protected readString(): string {
    const { buf, pos } = this;
    this.pos = skip(buf, pos, buf.length);
    return buf.toString('utf8', pos + headerSize(buf, pos), this.pos);
  }

  protected readFloat(pos: number): number {
    return this.buf.readFloatBE(pos + 1);
  }

  /** A whole number outside of the range of integers must stay a float when it is encoded. */
  protected readDouble(pos: number): number | Double {
    const value = this.buf.readDoubleBE(pos + 1);
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? new Double(value) : value;
  }

  protected readExtension(pos: number): Opaque {
    const type = pos + headerSize(this.buf, pos);
    return new Opaque(this.buf.readInt8(type), this.copy(type + 1));
  }

  protected readMap(): { [key: string]: Value } {
    const map: { [key: string]: Value } = {};
    for (let left = this.enter(); left > 0; left--) {
      const key = this.#key();
      const value = this.read();
      if (key !== '__proto__') map[key] = value;
      // This creates an ordinary key: an assignment would set the prototype.
      else Object.defineProperty(map, key, { ...OWN, value });
    }
    return map;
  }

  #key(): string {
    const start = this.pos;
    const key = this.read();
    if (typeof key !== 'object' || key === null) return String(key);
    // Keys may be nested in keys: each must cost less than its contents.
    const shown = Math.min(this.pos, start + SHOWN_KEY_BYTES);
    return `0x${this.buf.toString('hex', start, shown)}`;
  }
}

const EXTENSIONS: Readonly<Record<number, (payload: Buffer, raw: Buffer) => Carried | undefined>> =
  { 1: Decimal.read, 2: Uuid.read, 4: Datetime.read, 6: Interval.read };

class ExactReader extends Reader<ExactValue> {
  protected readString(code: number): string | Raw {
    const { buf, pos } = this;
    const head = code < 0xd9 ? 1 : headerSize(buf, pos);
    const end = code < 0xd9 ? pos + 1 + (code & 0x1f) : skip(buf, pos, buf.length);
    this.pos = end;
    const text = buf.toString('utf8', pos + head, end);
    const valid = !text.includes('\ufffd') || isUtf8(buf.subarray(pos + head, end));
    return valid ? text : new Raw(buf.subarray(pos, end));
  }

  protected readFloat(pos: number): Float {
    return Float.read(this.buf, pos);
  }

  /** All forms of NaN except the usual one must keep their bytes. */
  protected readDouble(pos: number): number | Double {
    const value = this.buf.readDoubleBE(pos + 1);
    const plain = Number.isNaN(value)
      ? this.buf.readBigUInt64BE(pos + 1) === 0x7ff8000000000000n
      : !Number.isInteger(value);
    return plain ? value : Double.read(this.buf, pos);
  }

  protected readExtension(pos: number): Carried {
    const head = headerSize(this.buf, pos);
    const type = this.buf.readInt8(pos + head);
    const raw = this.copy(pos);
    const payload = raw.subarray(head + 1);
    // Its header may be longer than needed.
    return EXTENSIONS[type]?.(payload, raw) ?? Object.assign(new Opaque(type, payload), { raw });
  }

  protected readMap(): ExactValue {
    const start = this.pos;
    const pairs: [ExactValue, ExactValue][] = [];
    for (let count = this.enter(); count > 0; count--) pairs.push([this.read(), this.read()]);
    const keys = new Set(pairs.map(([key]) => key));
    // A Map would lose all but the last of duplicate keys.
    if (keys.size !== pairs.length) return new Raw(this.buf.subarray(start, this.pos));
    if (!pairs.every((pair): pair is [string, ExactValue] => typeof pair[0] === 'string')) {
      return new Map(pairs);
    }
    // This makes '__proto__' an ordinary key.
    const object = Object.fromEntries(pairs);
    return hasOrder(object, pairs) ? object : new Map(pairs);
  }
}

/** Returns true if an object keeps the order of the pairs. It moves keys such as '10' to its front. */
function hasOrder(object: object, pairs: readonly [string, ExactValue][]): boolean {
  if (!pairs.some(([key]) => /^\d/.test(key))) return true;
  return Object.keys(object).every((key, i) => key === pairs[i]![0]);
}

/**
 * Encodes a value: numbers and lengths in their shortest form, and decoded values as they were.
 *
 * @throws TypeError for a type that MessagePack does not have, RangeError for a value that does not fit
 * @example
 * encode([1, 1.5, new Double(1), 2n ** 63n, new Date()]);
 */
export function encode(value: unknown): Buffer {
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
  if (depth >= MAX_DEFINITION_DEPTH) throw tooDeep(MAX_DEFINITION_DEPTH);
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

function tooDeep(limit: number): RangeError {
  return new RangeError(`nests deeper than ${limit} containers`);
}
