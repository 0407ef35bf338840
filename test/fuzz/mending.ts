import { trailer } from '../support/archive-builder.js';

/**
 * Makes checksums fit, which no fuzzer finds by trying: so that it gets to what is behind them. Nothing
 * here is taken from the code under test.
 */

const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/** Writes its checksum into the header of a tar. */
export function mendChecksum(block: Buffer): void {
  block.fill(' ', CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
}

type Records = Parameters<typeof trailer>[2];

/** A trailer with the sums and the hash of the entries that it lists; anything else as it is. */
export function mendTrailer(bytes: Buffer): Buffer {
  try {
    const document = JSON.parse(String(bytes));
    const { rows, bytes: size, sha256 } = trailer([], {}, document.entries as Records);
    return Buffer.from(JSON.stringify({ ...document, rows, bytes: size, sha256 }));
  } catch {
    return bytes;
  }
}
