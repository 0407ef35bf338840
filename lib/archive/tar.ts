import { Readable } from 'node:stream';
import { messageOf, TntarError } from '../base/errors.js';

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
  // Readers, which start more often, need not wait for it.
  const { pack } = await import('tar-stream');
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

/** An entry of a tar that anybody may have made. */
export interface TarEntry {
  name: string;
  /** e.g. `file`, `directory` or `symlink`. */
  type: string;
  /** The size in the header. */
  size: number;
  modified: Date;
  /** Has to be read to its end before the next entry. */
  body: AsyncIterable<Buffer>;
}

/** @returns true where the first bytes of something are those of a tar */
export function startsTar(head: Buffer): boolean {
  return head.toString('latin1', MAGIC[0], MAGIC[0] + 5) === 'ustar';
}

const LAST_YEAR = 9999;

function isDate(value: Date | undefined): value is Date {
  const year = value?.getUTCFullYear() ?? Number.NaN;
  return year > 0 && year <= LAST_YEAR;
}

function unreadable(error: unknown): unknown {
  const isOther = error instanceof TntarError || (error as NodeJS.ErrnoException).syscall;
  return isOther ? error : damaged(`the tar cannot be read: ${messageOf(error)}`);
}

/** Hands chunks through, and insists that they end as a tar does: else entries may be missing. */
async function* endingAsTar(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    if (chunk.length === 0) continue;
    yield chunk;
    end = Buffer.concat([end, chunk.subarray(-END_OF_TAR.length)]).subarray(-END_OF_TAR.length);
  }
  if (end.equals(END_OF_TAR)) return;
  throw new TntarError('archive', 'the tar is cut short', {
    hint: 'the program that wrote it failed, or the rest was lost in transfer',
  });
}

/**
 * Takes apart a tar of any program's: with long names, sizes above 8 GiB, and what else there is.
 *
 * @throws TntarError of kind `archive` if it is none, or cut; the error of `input`
 * @example
 * for await (const { name, size, body } of untar(process.stdin)) await store(name, size, body);
 */
export async function* untar(input: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const { extract } = await import('tar-stream');
  const tar = extract();
  const source = Readable.from(endingAsTar(input));
  let failure: unknown;
  source.once('error', (error) => {
    failure = error;
    tar.destroy(error);
  });
  source.pipe(tar);
  const told = async function* (body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of body) yield chunk as Buffer;
    } catch (error) {
      throw unreadable(failure ?? error);
    }
  };
  try {
    for await (const entry of tar) {
      const { name, type, size = 0, mtime } = entry.header;
      const modified = isDate(mtime) ? mtime : new Date(0);
      yield { name, type: String(type), size, modified, body: told(entry) };
    }
  } catch (error) {
    throw unreadable(failure ?? error);
  } finally {
    source.destroy();
  }
}
