/** Integers of MessagePack, exact over all 64 bits. */

/**
 * Reads the integer at `offset`: a number if that is exact, otherwise a bigint.
 *
 * @example
 * readInteger(Buffer.from([0xd0, 0x80]), 0); // -128
 */
export function readInteger(buf: Buffer, offset: number): number | bigint {
  const code = buf[offset]!;
  if (code <= 0x7f) return code;
  if (code >= 0xe0) return code - 0x100;
  const at = offset + 1;
  if (code === 0xcf) return narrow(buf.readBigUInt64BE(at));
  if (code === 0xd3) return narrow(buf.readBigInt64BE(at));
  return code < 0xd0
    ? buf.readUIntBE(at, 1 << (code - 0xcc))
    : buf.readIntBE(at, 1 << (code - 0xd0));
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * Returns an integer in its shortest form.
 *
 * @throws RangeError for an integer that does not fit into 64 bits, signed or unsigned; and for a number beyond 2^53,
 * which may have lost its low bits
 * @example
 * integer(-1); // <ff>
 */
export function integer(value: number | bigint): Buffer {
  if (typeof value === 'bigint') {
    const number = narrow(value);
    return typeof number === 'number' ? integer(number) : wide(number);
  }
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(
      `${value} is not an exact integer: write a bigint, or new Double(${value})`,
    );
  }
  if (value >= 0) {
    if (value < 0x80) return Buffer.of(value);
    for (let power = 0; power < 3; power++) {
      if (value < 2 ** (8 << power)) return coded(0xcc + power, 1 << power, value);
    }
  } else {
    if (value >= -32) return Buffer.of(value + 0x100);
    for (let power = 0; power < 3; power++) {
      if (value >= -(2 ** ((8 << power) - 1))) return coded(0xd0 + power, 1 << power, value);
    }
  }
  return wide(BigInt(value));
}

function coded(code: number, bytes: number, value: number): Buffer {
  const encoded = Buffer.alloc(1 + bytes, code);
  if (value < 0) encoded.writeIntBE(value, 1, bytes);
  else encoded.writeUIntBE(value, 1, bytes);
  return encoded;
}

function wide(value: bigint): Buffer {
  if (value >= 2n ** 64n || value < -(2n ** 63n)) {
    throw new RangeError(`${value} does not fit into 64 bits`);
  }
  const encoded = Buffer.alloc(9, value < 0n ? 0xd3 : 0xcf);
  encoded.writeBigUInt64BE(BigInt.asUintN(64, value), 1);
  return encoded;
}
