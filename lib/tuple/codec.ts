import { Packr } from 'msgpackr';
import { extension, sized } from './exact-types.js';
import { readInteger } from './integers.js';
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
} from './msgpack.js';

/**
 * Decodes what has to be understood: rows of system spaces, replies about the server itself. Tuples
 * of users never pass through here.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Extension
  | Value[]
  | { [key: string]: Value };

/** A MessagePack extension that is carried along without being understood. Its type goes from 0 to 255. */
export class Extension {
  constructor(
    readonly type: number,
    readonly payload: Uint8Array,
  ) {}
}

/**
 * Encodes scalars only. msgpackr writes instances of classes, binary values among them, by a table that is
 * common to the whole process: an extension that is registered there changes what every other user of
 * msgpackr reads and writes, and theirs would change what is written here.
 */
const packr = new Packr({ useRecords: false });

/**
 * Decodes one whole MessagePack value; integers beyond 2^53 become bigint, and keys text: for containers,
 * bytes and extensions that is the start of their MessagePack, in hexadecimal. Not by msgpackr: it takes
 * an extension of type 114 for a record of its own, and what follows for its fields, and refuses maps
 * with keys such as arrays, which servers hold.
 *
 * @throws RangeError where `bytes` are not one whole value
 */
export function decode(bytes: Uint8Array): Value {
  if (skip(bytes, 0, bytes.length) !== bytes.length) {
    throw new RangeError('these bytes are not one whole MessagePack value');
  }
  return new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).read();
}

/** An ordinary property of an object. */
const OWN = { configurable: true, enumerable: true, writable: true };

/** Of a key that is no text, nor nearly. */
const SHOWN_KEY_BYTES = 64;

/** Walks through bytes that are known to be whole. */
class Reader {
  #pos = 0;

  constructor(private readonly buf: Buffer) {}

  read(): Value {
    const { buf } = this;
    const pos = this.#pos;
    const code = buf[pos]!;
    if (isArray(code)) return this.#array();
    if (isMap(code)) return this.#map();
    this.#pos = skip(buf, pos, buf.length);
    if (isString(code)) return buf.toString('utf8', pos + headerSize(buf, pos), this.#pos);
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    if (code === 0xca) return buf.readFloatBE(pos + 1);
    if (code === 0xcb) return buf.readDoubleBE(pos + 1);
    if (code >= 0xc4 && code <= 0xc6) return this.#copy(pos + headerSize(buf, pos));
    return isInteger(code) ? readInteger(buf, pos) : this.#extension(pos + headerSize(buf, pos));
  }

  #array(): Value[] {
    const values: Value[] = [];
    for (let left = this.#enter(); left > 0; left--) values.push(this.read());
    return values;
  }

  #map(): { [key: string]: Value } {
    const map: { [key: string]: Value } = {};
    for (let left = this.#enter(); left > 0; left--) {
      const key = this.#key();
      const value = this.read();
      if (key !== '__proto__') map[key] = value;
      // a key like others: an assignment would set the prototype
      else Object.defineProperty(map, key, { ...OWN, value });
    }
    return map;
  }

  #enter(): number {
    const count = memberCount(this.buf, this.#pos);
    this.#pos += headerSize(this.buf, this.#pos);
    return count;
  }

  #key(): string {
    const start = this.#pos;
    const key = this.read();
    if (typeof key !== 'object' || key === null) return String(key);
    // keys may be in keys: each has to cost less than what it is made of
    const shown = Math.min(this.#pos, start + SHOWN_KEY_BYTES);
    return `0x${this.buf.toString('hex', start, shown)}`;
  }

  /** @param at - of its type */
  #extension(at: number): Extension {
    return new Extension(this.buf[at]!, this.#copy(at + 1));
  }

  /** The bytes from `start` to here, in memory of their own. */
  #copy(start: number): Buffer {
    return Buffer.from(this.buf.subarray(start, this.#pos));
  }
}

/** Encodes a value that was written in code: a request's arguments, a metadata field. */
export function encode(value: Value): Buffer {
  if (typeof value !== 'object' || value === null) return packr.pack(scalar(value));
  if (value instanceof Extension) return extension((value.type << 24) >> 24, value.payload);
  if (value instanceof Uint8Array) return Buffer.concat([sized(0xc4, value.length), value]);
  if (Array.isArray(value)) {
    return Buffer.concat([arrayHeader(value.length), ...value.map(encode)]);
  }
  const pairs = Object.entries(value);
  return Buffer.concat([mapHeader(pairs.length), ...pairs.flat().map(encode)]);
}

type Scalar = null | boolean | number | bigint | string;

/** Makes bigints of whole numbers beyond 32 bits: msgpackr writes those numbers as doubles. */
function scalar(value: Scalar): Scalar {
  const isLarge = Number.isSafeInteger(value) && Math.abs(value as number) > 0x7fffffff;
  return isLarge ? BigInt(value as number) : value;
}
