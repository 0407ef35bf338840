import { pack } from 'tar-stream';
import { TntarError } from '../errors.js';

/** Bytes of a tar header, and what bodies are padded to. */
export const BLOCK_BYTES = 512;
/** Two blocks of zeros end a tar. */
export const END_OF_TAR: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

/** Zeros that follow a body of `size` bytes. */
export function padding(size: number): Buffer {
  return END_OF_TAR.subarray(0, -size & (BLOCK_BYTES - 1));
}

/**
 * The header block of a regular file, mode 0600, owner 0.
 *
 * @param size - bytes of the body; above 8 GiB tar needs another form, and no part is that large
 */
export async function tarHeader(name: string, size: number, modified: Date): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name, size, mode: 0o600, mtime: modified });
  for await (const header of tar) return header as Buffer;
  throw new Error('tar-stream made no header');
}

export interface TarHeader {
  name: string;
  size: number;
}

// Field offsets of POSIX ustar, and the few values that a header of ours may have in them.
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE = 156;
const LINK_NAME = [157, 257] as const;
const MAGIC = [257, 265] as const;
const PREFIX = [345, 500] as const;
const USTAR = 'ustar\0' + '00';
const REGULAR_FILE = 0x30;

function damaged(what: string): TntarError {
  return new TntarError('archive', what, { hint: 'the file is damaged or was not made by tntar' });
}

function octal(block: Buffer, [start, end]: readonly [number, number], what: string): number {
  const text = block.toString('latin1', start, end);
  const digits = /^ *([0-7]+)[ \0]+$/.exec(text)?.[1];
  if (digits === undefined) throw damaged(`a tar header whose ${what} is ${JSON.stringify(text)}`);
  return Number.parseInt(digits, 8);
}

function checksum(block: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    sum += i >= CHECKSUM[0] && i < CHECKSUM[1] ? 0x20 : block[i]!;
  }
  return sum;
}

/**
 * Reads a header block as strictly as this package writes it: a regular file with a short name, no
 * link, no prefix, no extension headers, sizes in octal.
 */
export function parseTarHeader(block: Buffer): TarHeader {
  if (checksum(block) !== octal(block, CHECKSUM, 'checksum')) {
    throw damaged('a tar header whose checksum is wrong');
  }
  const rawName = block.toString('latin1', ...NAME);
  const name = rawName.replace(/\0+$/, '');
  const shown = JSON.stringify(name.slice(0, 40));
  if (block.toString('latin1', ...MAGIC) !== USTAR) throw damaged(`entry ${shown}: not a ustar`);
  if (block[TYPE] !== REGULAR_FILE) throw damaged(`entry ${shown}: not a regular file`);
  for (const [start, end] of [LINK_NAME, PREFIX]) {
    if (block.subarray(start, end).some((byte) => byte !== 0)) {
      throw damaged(`entry ${shown}: a link or a long name`);
    }
  }
  return { name, size: octal(block, SIZE, 'size') };
}
