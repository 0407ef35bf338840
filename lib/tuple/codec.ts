import { addExtension, Packr } from 'msgpackr';
import { readInteger } from './integers.js';
import {
  headerSize,
  isArray,
  isInteger,
  isMap,
  isString,
  memberCount,
  skip,
  stringBytes,
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

/** A MessagePack extension that is carried along without being understood. */
export class Extension {
  constructor(
    readonly type: number,
    readonly payload: Uint8Array,
  ) {}
}

/**
 * All types are carried alike: the server's own (`src/lib/core/mp_extension_types.h`: decimal 1, uuid 2,
 * error 3, datetime 4, compression 5, interval 6, tuple 7, arrow 8), and those that msgpackr would
 * otherwise take for its own. A class a type, for msgpackr finds the type by the class.
 */
const TYPES = 256;

type ExtensionClass = new (type: number, payload: Uint8Array) => Extension;
const classes = new Map<number, ExtensionClass>();

// Type 0 cannot have a class.
for (let type = 1; type < TYPES; type++) {
  const Typed = class extends Extension {};
  classes.set(type, Typed);
  addExtension({
    Class: Typed,
    type,
    pack: (value: Extension) => Buffer.from(value.payload),
  });
}

function typed({ type, payload }: Extension): Extension {
  return new (classes.get(type) ?? Extension)(type, payload);
}

// Records are an extension of msgpackr's own that no server reads.
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
    if (isArray(code)) return Array.from({ length: this.#enter() }, () => this.read());
    // makes '__proto__' a key like others
    if (isMap(code))
      return Object.fromEntries(Array.from({ length: this.#enter() }, () => this.#pair()));
    this.#pos = skip(buf, pos, buf.length);
    if (isString(code)) return Buffer.from(stringBytes(buf, pos)).toString();
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    if (code === 0xca) return buf.readFloatBE(pos + 1);
    if (code === 0xcb) return buf.readDoubleBE(pos + 1);
    if (code >= 0xc4 && code <= 0xc6) return this.#copy(pos + headerSize(buf, pos));
    return isInteger(code) ? readInteger(buf, pos) : this.#extension(pos + headerSize(buf, pos));
  }

  #enter(): number {
    const count = memberCount(this.buf, this.#pos);
    this.#pos += headerSize(this.buf, this.#pos);
    return count;
  }

  #pair(): [string, Value] {
    const start = this.#pos;
    const key = this.read();
    if (typeof key !== 'object' || key === null) return [String(key), this.read()];
    // keys may be in keys: each has to cost less than what it is made of
    const shown = Math.min(this.#pos, start + SHOWN_KEY_BYTES);
    return [`0x${this.buf.toString('hex', start, shown)}`, this.read()];
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

/** msgpackr writes whole numbers beyond 32 bits as doubles, unless they are bigint. */
function exact(value: Value): Value {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && Math.abs(value) > 0x7fffffff ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Extension) return typed(value);
  if (value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, exact(each)]));
}

/** Encodes a value that was written in code: a request's arguments, a metadata field. */
export function encode(value: Value): Buffer {
  return packr.pack(exact(value));
}
