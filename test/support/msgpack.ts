/**
 * MessagePack written by hand: what a test feeds to the code under test must not come from it.
 *
 * A Buffer inside of a value stands for bytes that are MessagePack already, such as {@link bin} makes.
 */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | readonly Plain[]
  | ReadonlyMap<Plain, Plain>
  | { readonly [key: string]: Plain };

/**
 * Encodes a value, each part in its shortest form.
 *
 * @example
 * pack([512, 'users', { view: true }, float64(1)]);
 */
export function pack(value: Plain): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value === null) return Buffer.of(0xc0);
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === 'bigint') return packInteger(value);
  if (typeof value === 'number') {
    return Number.isInteger(value) ? packInteger(BigInt(value)) : float64(value);
  }
  if (typeof value === 'string') return packString(value);
  if (Array.isArray(value)) {
    return Buffer.concat([header(value.length, 0x90, 0xdc, 0xdd), ...value.map(pack)]);
  }
  const pairs: [Plain, Plain][] = value instanceof Map ? [...value] : Object.entries(value);
  return Buffer.concat([header(pairs.length, 0x80, 0xde, 0xdf), ...pairs.flat().map(pack)]);
}

/** Tuples back to back, as a batch or an archive's entry holds them. */
export function tuples(...rows: readonly (readonly Plain[])[]): Buffer {
  return Buffer.concat(rows.map(pack));
}

/** A type code and a number of `bytes` bytes behind it. */
export function coded(code: number, bytes: number, value: number | bigint): Buffer {
  const hex = BigInt.asUintN(8 * bytes, BigInt(value))
    .toString(16)
    .padStart(2 * bytes, '0');
  return Buffer.concat([Buffer.of(code), Buffer.from(hex, 'hex')]);
}

export function float32(value: number): Buffer {
  const encoded = Buffer.alloc(5, 0xca);
  encoded.writeFloatBE(value, 1);
  return encoded;
}

export function float64(value: number): Buffer {
  const encoded = Buffer.alloc(9, 0xcb);
  encoded.writeDoubleBE(value, 1);
  return encoded;
}

export function bin(bytes: Uint8Array): Buffer {
  return Buffer.concat([coded(0xc6, 4, bytes.length), bytes]);
}

/** An extension, in the general form that every size can have. */
export function ext(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0xc7, payload.length, type), payload]);
}

function packInteger(value: bigint): Buffer {
  if (value >= 0n) {
    if (value < 0x80n) return Buffer.of(Number(value));
    for (const [code, bytes] of [0xcc, 0xcd, 0xce, 0xcf].map(
      (code, i) => [code, 1 << i] as const,
    )) {
      if (value < 1n << BigInt(8 * bytes)) return coded(code, bytes, value);
    }
  } else {
    if (value >= -32n) return Buffer.of(256 + Number(value));
    for (const [code, bytes] of [0xd0, 0xd1, 0xd2, 0xd3].map(
      (code, i) => [code, 1 << i] as const,
    )) {
      if (value >= -(1n << BigInt(8 * bytes - 1))) return coded(code, bytes, value);
    }
  }
  throw new RangeError(`${value} fits no integer of MessagePack`);
}

function packString(value: string): Buffer {
  const bytes = Buffer.from(value);
  const { length } = bytes;
  let head: Buffer = Buffer.of(0xa0 + length);
  if (length >= 32) {
    if (length < 0x100) head = coded(0xd9, 1, length);
    else head = length < 0x10000 ? coded(0xda, 2, length) : coded(0xdb, 4, length);
  }
  return Buffer.concat([head, bytes]);
}

function header(count: number, fixed: number, code16: number, code32: number): Buffer {
  if (count < 16) return Buffer.of(fixed + count);
  return count < 0x10000 ? coded(code16, 2, count) : coded(code32, 4, count);
}
