/**
 * Reads MessagePack as bytes: the end of a value, the header of an array, and the few encoders that a request needs.
 * No value is decoded if it can be skipped.
 *
 * Source of the type codes: the MessagePack specification, "Formats".
 */

/** Returned if the buffer ends before the value. */
export const INCOMPLETE = -1;
/** Returned for 0xc1, the one code that MessagePack never uses. */
export const INVALID = -2;

/** The size of the head of a value, by type code; 0 for an invalid code. */
const HEAD = new Uint8Array(256);
/** The size of the payload, for codes that define it. */
const FIXED = new Uint8Array(256);
/** The size of the length field after the code, for codes that have one. */
const LENGTH_WIDTH = new Uint8Array(256);
/** The number of values for each member of a container: 0 for no container, 1 for an array, 2 for a map. */
const NESTED = new Uint8Array(256);

function describe(from: number, to: number, head: number, fixed = 0, width = 0, nested = 0): void {
  HEAD.fill(head, from, to + 1);
  FIXED.fill(fixed, from, to + 1);
  LENGTH_WIDTH.fill(width, from, to + 1);
  NESTED.fill(nested, from, to + 1);
}

describe(0x00, 0x7f, 1); // positive fixint
describe(0x80, 0x8f, 1, 0, 0, 2); // fixmap
describe(0x90, 0x9f, 1, 0, 0, 1); // fixarray
for (let code = 0xa0; code <= 0xbf; code++) describe(code, code, 1, code - 0xa0); // fixstr
describe(0xc0, 0xc0, 1); // nil
describe(0xc2, 0xc3, 1); // false, true
for (const [code, width] of [
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
] as const) {
  describe(code, code, 1 + width, 0, width); // bin 8, 16, 32
  describe(code + 3, code + 3, 1 + width, 1, width); // ext 8, 16, 32: the type byte counts as payload
}
describe(0xca, 0xca, 1, 4); // float 32
describe(0xcb, 0xcb, 1, 8); // float 64
for (const base of [0xcc, 0xd0]) {
  for (let power = 0; power < 4; power++) describe(base + power, base + power, 1, 1 << power); // uint, int
}
for (let power = 0; power <= 4; power++) describe(0xd4 + power, 0xd4 + power, 1, 1 + (1 << power)); // fixext
for (const [code, width] of [
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
] as const) {
  describe(code, code, 1 + width, 0, width); // str 8, 16, 32
}
describe(0xdc, 0xdc, 3, 0, 2, 1); // array 16
describe(0xdd, 0xdd, 5, 0, 4, 1); // array 32
describe(0xde, 0xde, 3, 0, 2, 2); // map 16
describe(0xdf, 0xdf, 5, 0, 4, 2); // map 32
describe(0xe0, 0xff, 1); // negative fixint

function lengthAt(buf: Uint8Array, offset: number, width: number): number {
  const first = buf[offset]!;
  if (width === 1) return first;
  if (width === 2) return (first << 8) | buf[offset + 1]!;
  return (
    first * 0x1000000 + ((buf[offset + 1]! << 16) | (buf[offset + 2]! << 8) | buf[offset + 3]!)
  );
}

/** The size of a value without nested ones, for codes that define it; 0 if a length follows, or for an invalid code. */
export const OWN = HEAD.map((head, code) => (LENGTH_WIDTH[code] === 0 ? head + FIXED[code]! : 0));
/**
 * The change of the number of outstanding values by a value whose code defines it: one less, plus its nested values.
 */
export const PENDING = Int8Array.from(NESTED, (nested, code) => nested * (code & 0x0f) - 1);

/**
 * Skips one value with any nesting, without recursion.
 *
 * @param end - offset at which the buffer ends for this call
 * @returns the offset after the value, {@link INCOMPLETE} or {@link INVALID}
 * @example
 * skip(Buffer.from([0x92, 1, 0xa1, 0x78, 7]), 0, 5); // 4
 */
export function skip(buf: Uint8Array, offset: number, end: number): number {
  let pos = offset;
  let pending = 1;
  while (pending > 0) {
    if (pos >= end) return INCOMPLETE;
    const code = buf[pos]!;
    const own = OWN[code]!;
    if (own !== 0) {
      pos += own;
      pending += PENDING[code]!;
    } else {
      const head = HEAD[code]!;
      if (head === 0) return INVALID;
      if (pos + head > end) return INCOMPLETE;
      pending += nestedCount(buf, pos) - 1;
      pos += ownSize(buf, pos);
    }
    // Each outstanding value takes at least one byte: if they cannot fit, the walk ends.
    if (pos + pending > end) return INCOMPLETE;
  }
  return pos;
}

/**
 * Returns true if the arrays and maps of one whole value nest deeper than `limit`, without recursion.
 *
 * @example
 * nestsDeeper(Buffer.from([0x91, 0x91, 0x90]), 2); // true
 */
export function nestsDeeper(value: Uint8Array, limit: number): boolean {
  /** The number of outstanding values in each open container. */
  const pending: number[] = [];
  let pos = 0;
  while (pos < value.length) {
    const code = value[pos]!;
    const nested = NESTED[code]!;
    if (nested === 0) {
      pos = skip(value, pos, value.length);
    } else {
      pending.push(nested * memberCount(value, pos));
      if (pending.length > limit) return true;
      pos += HEAD[code]!;
      if (pending.at(-1) !== 0) continue;
    }
    // The value is complete, and with it maybe the containers that it ends.
    if (pending.at(-1) === 0) pending.pop();
    while (pending.length > 0 && --pending[pending.length - 1]! === 0) pending.pop();
  }
  return false;
}

/**
 * Returns the size of the value at `offset` without its nested values. Its head must be complete.
 *
 * @example
 * ownSize(Buffer.from([0xa1, 0x78]), 0); // 2
 */
export function ownSize(buf: Uint8Array, offset: number): number {
  const code = buf[offset]!;
  if (NESTED[code] !== 0) return HEAD[code]!;
  const width = LENGTH_WIDTH[code]!;
  return HEAD[code]! + FIXED[code]! + (width === 0 ? 0 : lengthAt(buf, offset + 1, width));
}

/**
 * Returns the number of nested values of the value at `offset`; for a map, keys included. Its head must be complete.
 */
export function nestedCount(buf: Uint8Array, offset: number): number {
  const nested = NESTED[buf[offset]!]!;
  return nested === 0 ? 0 : nested * memberCount(buf, offset);
}

/** The memory of decoded values, by code, in units of some 40 bytes: the size of a number or a short string. */
const WEIGHT = new Uint8Array(256).fill(1);
WEIGHT.fill(3, 0x90, 0xa0).fill(3, 0xdc, 0xde); // arrays
WEIGHT.fill(5, 0x80, 0x90).fill(5, 0xde, 0xe0); // maps
WEIGHT.fill(6, 0xc4, 0xca).fill(6, 0xd4, 0xd9); // bytes and extensions: a Buffer each

/**
 * Counts the values in whole values: those in arrays and maps, and the keys of maps. An array counts as three, a map
 * as five, and bytes and an extension as six, because that is their size in memory.
 *
 * @param limit - stops after the first value beyond it, because there may be a hundred million
 * @example
 * countValues(Buffer.from([0x92, 1, 0x90]), 1000); // 7
 */
export function countValues(buf: Uint8Array, limit: number): number {
  let count = 0;
  for (let pos = 0; pos < buf.length && count <= limit; ) {
    count += WEIGHT[buf[pos]!]!;
    pos += ownSize(buf, pos);
  }
  return count;
}

/** Returns true if `code` begins an unsigned integer. */
export function isUint(code: number): boolean {
  return code <= 0x7f || (code >= 0xcc && code <= 0xcf);
}

/** Returns true if `code` begins an integer, signed or unsigned. */
export function isInteger(code: number): boolean {
  return isUint(code) || (code >= 0xd0 && code <= 0xd3) || code >= 0xe0;
}

/**
 * Skips one value like {@link skip}, and checks that it is an array, as a tuple must be.
 *
 * @returns the offset after the tuple, {@link INCOMPLETE}, or {@link INVALID} for anything but an array
 */
export function skipTuple(buf: Uint8Array, offset: number, end: number): number {
  if (offset >= end) return INCOMPLETE;
  return isArray(buf[offset]!) ? skip(buf, offset, end) : INVALID;
}

export function isArray(code: number): boolean {
  return (code & 0xf0) === 0x90 || code === 0xdc || code === 0xdd;
}

export function isMap(code: number): boolean {
  return (code & 0xf0) === 0x80 || code === 0xde || code === 0xdf;
}

/** Returns the size of the header of the array or map at `offset`: 1, 3 or 5. */
export function headerSize(buf: Uint8Array, offset: number): number {
  return HEAD[buf[offset]!]!;
}

/** Returns the number of elements or pairs in the header of the array or map at `offset`. */
export function memberCount(buf: Uint8Array, offset: number): number {
  const code = buf[offset]!;
  const width = LENGTH_WIDTH[code]!;
  return width === 0 ? code & 0x0f : lengthAt(buf, offset + 1, width);
}

/** Returns true if `code` begins a string; see {@link stringBytes}. */
export function isString(code: number): boolean {
  return (code & 0xe0) === 0xa0 || (code >= 0xd9 && code <= 0xdb);
}

/** Returns the bytes of the string at `offset`, without its header. */
export function stringBytes(buf: Uint8Array, offset: number): Uint8Array {
  const code = buf[offset]!;
  const width = LENGTH_WIDTH[code]!;
  const start = offset + HEAD[code]!;
  return buf.subarray(
    start,
    start + (width === 0 ? FIXED[code]! : lengthAt(buf, offset + 1, width)),
  );
}

/**
 * Reads the unsigned integer at `offset`.
 *
 * @returns NaN if the value is not an unsigned integer; a uint64 above 2^53 loses its low bits
 */
export function readUint(buf: Uint8Array, offset: number): number {
  const code = buf[offset]!;
  if (code <= 0x7f) return code;
  if (code === 0xcc) return buf[offset + 1]!;
  if (code === 0xcd) return lengthAt(buf, offset + 1, 2);
  if (code === 0xce) return lengthAt(buf, offset + 1, 4);
  if (code === 0xcf) return lengthAt(buf, offset + 1, 4) * 2 ** 32 + lengthAt(buf, offset + 5, 4);
  return Number.NaN;
}

/** Returns a header of an array with `count` elements, in its shortest form. */
export function arrayHeader(count: number): Buffer {
  if (count < 16) return Buffer.of(0x90 | count);
  if (count < 0x10000) return Buffer.of(0xdc, count >> 8, count & 0xff);
  const header = Buffer.alloc(5, 0xdd);
  header.writeUInt32BE(count, 1);
  return header;
}

/** Returns a header of a map with `pairs` pairs, in its shortest form. */
export function mapHeader(pairs: number): Buffer {
  if (pairs < 16) return Buffer.of(0x80 | pairs);
  if (pairs < 0x10000) return Buffer.of(0xde, pairs >> 8, pairs & 0xff);
  const header = Buffer.alloc(5, 0xdf);
  header.writeUInt32BE(pairs, 1);
  return header;
}

/** Returns an unsigned integer below 2^32, in its shortest form. */
export function uint(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value);
  if (value < 0x100) return Buffer.of(0xcc, value);
  if (value < 0x10000) return Buffer.of(0xcd, value >> 8, value & 0xff);
  const encoded = Buffer.alloc(5, 0xce);
  encoded.writeUInt32BE(value, 1);
  return encoded;
}

/** Returns a string in its shortest form. */
export function str(value: string): Buffer {
  const length = Buffer.byteLength(value);
  const head = length < 32 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
  const encoded = Buffer.allocUnsafe(head + length);
  if (head === 1) encoded[0] = 0xa0 | length;
  else {
    encoded[0] = head === 2 ? 0xd9 : head === 3 ? 0xda : 0xdb;
    encoded.writeUIntBE(length, 1, head - 1);
  }
  encoded.write(value, head);
  return encoded;
}
