import { INCOMPLETE, skip } from './msgpack.js';

/** A value that is encoded as the bytes that it holds: if it was decoded, the original ones. */
export abstract class Carried {
  /** One whole MessagePack value. */
  abstract readonly raw: Buffer;
}

/**
 * Any value as its undecoded bytes. It keeps its MessagePack type wherever it is written.
 *
 * @example
 * tuple.set('copy', tuple.field('original'));
 */
export class Raw extends Carried {
  readonly raw: Buffer;

  /**
   * @param raw - one whole MessagePack value, which is copied
   * @throws TypeError for anything else
   */
  constructor(raw: Uint8Array) {
    super();
    if (!(raw instanceof Uint8Array)) throw new TypeError('a Raw takes bytes');
    const end = skip(raw, 0, raw.length);
    if (end !== raw.length) {
      const what = end === INCOMPLETE ? 'less' : 'something else';
      throw new TypeError(`a Raw takes one MessagePack value; ${what} was given`);
    }
    this.raw = Buffer.from(raw);
  }
}

/** A number of a fixed size, which can be used in calculations like any other. */
abstract class Floating extends Carried {
  abstract readonly value: number;

  override valueOf(): number {
    return this.value;
  }

  override toString(): string {
    return String(this.value);
  }

  toJSON(): number {
    return this.value;
  }
}

/**
 * A number that is encoded as float64, even if it is whole.
 *
 * @example
 * encode(new Double(1)); // <cb 3f f0 00 00 00 00 00 00>
 * new Double(1) + 1; // 2
 */
export class Double extends Floating {
  readonly raw = Buffer.alloc(9, 0xcb);

  /** @throws TypeError for anything but a number, because a conversion would hide a mistake */
  constructor(readonly value: number) {
    super();
    checkNumber(value);
    this.raw.writeDoubleBE(value, 1);
  }

  /** Reads the float64 at `offset`. NaN has many forms, and each is kept. */
  static read(buf: Buffer, offset: number): Double {
    const read = new Double(buf.readDoubleBE(offset + 1));
    buf.copy(read.raw, 1, offset + 1);
    return read;
  }
}

/**
 * A number that is encoded as float32, and rounded to it.
 *
 * @example
 * new Float(0.1).value; // 0.10000000149011612
 */
export class Float extends Floating {
  readonly value: number;
  readonly raw = Buffer.alloc(5, 0xca);

  /** @throws TypeError for anything but a number, RangeError for a finite number that does not fit */
  constructor(value: number) {
    super();
    checkNumber(value);
    this.value = Math.fround(value);
    if (Number.isFinite(value) && !Number.isFinite(this.value)) {
      throw new RangeError(`${value} does not fit into 32 bits: write new Double(${value})`);
    }
    this.raw.writeFloatBE(value, 1);
  }

  /** Reads the float32 at `offset`; see {@link Double.read}. */
  static read(buf: Buffer, offset: number): Float {
    const read = new Float(buf.readFloatBE(offset + 1));
    buf.copy(read.raw, 1, offset + 1);
    return read;
  }
}

function checkNumber(value: unknown): void {
  if (typeof value === 'number') return;
  throw new TypeError(`expected a number, not ${value === null ? 'null' : typeof value}`);
}

/**
 * An extension that is kept without being decoded.
 *
 * @example
 * new Opaque(100, Buffer.of(1, 2)).raw; // <d5 64 01 02>
 */
export class Opaque extends Carried {
  readonly raw: Buffer;

  /**
   * @param type - from -128 to 127
   * @param payload - the bytes after the type
   * @throws RangeError for another type
   */
  constructor(
    readonly type: number,
    readonly payload: Uint8Array,
  ) {
    super();
    this.raw = extension(type, payload);
  }
}

/** Codes of the extensions of 1, 2, 4, 8 and 16 bytes. */
const FIXEXT: Readonly<Record<number, number>> = { 1: 0xd4, 2: 0xd5, 4: 0xd6, 8: 0xd7, 16: 0xd8 };

/** Returns an extension in its shortest form. */
export function extension(type: number, payload: Uint8Array): Buffer {
  if (!Number.isInteger(type) || type < -128 || type > 127) {
    throw new RangeError(`the type of an extension must be from -128 to 127, not ${type}`);
  }
  const { length } = payload;
  const fixed = FIXEXT[length];
  const header = fixed === undefined ? sized(0xc7, length) : Buffer.of(fixed);
  return Buffer.concat([header, Buffer.of(type & 0xff), payload]);
}

/** Returns a header with a length of 8, 16 or 32 bits. `base` is the code of the first; the others follow it. */
export function sized(base: number, length: number): Buffer {
  if (length < 0x100) return Buffer.of(base, length);
  if (length < 0x10000) return Buffer.of(base + 1, length >> 8, length & 0xff);
  const header = Buffer.alloc(5, base + 2);
  header.writeUInt32BE(length, 1);
  return header;
}
