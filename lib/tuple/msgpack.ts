/**
 * MessagePack as bytes: where a value ends, what an array header says, and the few encoders that a
 * request needs. Nothing here decodes a value that it can step over.
 *
 * Source of the type codes: the MessagePack specification, "Formats".
 */

/** Returned where the buffer ends before the value does. */
export const INCOMPLETE = -1;
/** Returned for 0xc1, the one code that MessagePack never uses. */
export const INVALID = -2;

/** Bytes of the value's own head, by type code; 0 = not a valid code. */
const HEAD = new Uint8Array(256);
/** Bytes of payload that a code fixes by itself. */
const FIXED = new Uint8Array(256);
/** Width of the length field behind the code, for codes that have one. */
const LENGTH_WIDTH = new Uint8Array(256);
/** Values nested in the container whose code this is: 0 none, 1 a value each, 2 a pair each. */
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

/** Bytes of a value that its code alone tells, without those it contains; 0 = a length follows, or no valid code. */
export const OWN = HEAD.map((head, code) => (LENGTH_WIDTH[code] === 0 ? head + FIXED[code]! : 0));
/** What a value whose code tells all changes in the count of values to come: one less, and those it contains. */
export const PENDING = Int8Array.from(NESTED, (nested, code) => nested * (code & 0x0f) - 1);

/**
 * Steps over one value, whatever its nesting, without recursion.
 *
 * @param end - offset at which the buffer ends for this call
 * @returns the offset behind the value, {@link INCOMPLETE} or {@link INVALID}
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
    // Each pending value takes a byte at least: a count that cannot fit needs no further walking.
    if (pos + pending > end) return INCOMPLETE;
  }
  return pos;
}

/**
 * Tells whether arrays and maps of one whole value nest deeper than `limit`, without recursion.
 *
 * @example
 * nestsDeeper(Buffer.from([0x91, 0x91, 0x90]), 2); // true
 */
export function nestsDeeper(value: Uint8Array, limit: number): boolean {
  /** Values that are still to come, in each container that is open. */
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
    // the value has come, and with it maybe those that it is the last of
    if (pending.at(-1) === 0) pending.pop();
    while (pending.length > 0 && --pending[pending.length - 1]! === 0) pending.pop();
  }
  return false;
}

/**
 * Bytes of the value at `offset` without the values that it contains. Its head has to be there.
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

/** How many values the one at `offset` contains: of a map its keys, too. Its head has to be there. */
export function nestedCount(buf: Uint8Array, offset: number): number {
  const nested = NESTED[buf[offset]!]!;
  return nested === 0 ? 0 : nested * memberCount(buf, offset);
}

/** Memory that decoded values of each code take, in units of some 40 bytes: what a number or a short string takes. */
const WEIGHT = new Uint8Array(256).fill(1);
WEIGHT.fill(3, 0x90, 0xa0).fill(3, 0xdc, 0xde); // arrays
WEIGHT.fill(5, 0x80, 0x90).fill(5, 0xde, 0xe0); // maps
WEIGHT.fill(6, 0xc4, 0xca).fill(6, 0xd4, 0xd9); // bytes and extensions: a Buffer each

/**
 * Counts the values that whole values are made of: those within arrays and maps, and the keys of maps. An array
 * counts for three, a map for five, and bytes and an extension for six, for that is what they take in memory.
 *
 * @param limit - stops after the first value beyond it, for there may be a hundred million
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

/** True where `code` begins an unsigned integer. */
export function isUint(code: number): boolean {
  return code <= 0x7f || (code >= 0xcc && code <= 0xcf);
}

/** True where `code` begins an integer, with a sign or without. */
export function isInteger(code: number): boolean {
  return isUint(code) || (code >= 0xd0 && code <= 0xd3) || code >= 0xe0;
}

/**
 * Like {@link skip}, and tells whether the walk met an array at `offset`: what a tuple has to be.
 *
 * @returns the offset behind the tuple, {@link INCOMPLETE}, or {@link INVALID} for anything that is
 * not an array
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

/** Bytes that the array or map header at `offset` takes: 1, 3 or 5. */
export function headerSize(buf: Uint8Array, offset: number): number {
  return HEAD[buf[offset]!]!;
}

/** Members that the array or map header at `offset` announces: elements, or pairs. */
export function memberCount(buf: Uint8Array, offset: number): number {
  const code = buf[offset]!;
  const width = LENGTH_WIDTH[code]!;
  return width === 0 ? code & 0x0f : lengthAt(buf, offset + 1, width);
}

/** True where `offset` holds a string; see {@link stringBytes}. */
export function isString(code: number): boolean {
  return (code & 0xe0) === 0xa0 || (code >= 0xd9 && code <= 0xdb);
}

/** The bytes of the string at `offset`, without its header. */
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
 * The unsigned integer at `offset`.
 *
 * @returns NaN where the value is no unsigned integer; a uint64 above 2^53 loses its low bits
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

/** An array header for `count` elements, in its shortest form. */
export function arrayHeader(count: number): Buffer {
  if (count < 16) return Buffer.of(0x90 | count);
  if (count < 0x10000) return Buffer.of(0xdc, count >> 8, count & 0xff);
  const header = Buffer.alloc(5, 0xdd);
  header.writeUInt32BE(count, 1);
  return header;
}

/** A map header for `pairs` pairs, in its shortest form. */
export function mapHeader(pairs: number): Buffer {
  if (pairs < 16) return Buffer.of(0x80 | pairs);
  if (pairs < 0x10000) return Buffer.of(0xde, pairs >> 8, pairs & 0xff);
  const header = Buffer.alloc(5, 0xdf);
  header.writeUInt32BE(pairs, 1);
  return header;
}

/** An unsigned integer below 2^32, in its shortest form. */
export function uint(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value);
  if (value < 0x100) return Buffer.of(0xcc, value);
  if (value < 0x10000) return Buffer.of(0xcd, value >> 8, value & 0xff);
  const encoded = Buffer.alloc(5, 0xce);
  encoded.writeUInt32BE(value, 1);
  return encoded;
}

/** A string in its shortest form. */
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
