import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FrameReader, startsFrame } from '../archive/compression.js';
import { unfold } from '../archive/decompress.js';
import { BLOCK_BYTES, startsTar } from '../archive/tar.js';
import type { BackupItem } from '../backup/item.js';
import { messageOf, TntarError } from '../base/errors.js';
import type { Report } from '../base/report.js';
import { Scratch } from '../base/scratch.js';
import { itemReadable } from '../flow/item-readable.js';
import { readArchive } from './archive-stream.js';
import { readFolder } from './directory.js';
import type { ArchiveReading, Origin, Reading } from './origin.js';
import { spool } from './unpack-tar.js';

/** The number of bytes that are searched for the start of an input. */
const MAX_LOOK_BYTES = 1024 * 1024;

/** An input whose first bytes can be examined before it is read from its start. */
class Ahead {
  readonly #input: AsyncIterator<Buffer>;
  readonly #held: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(input: AsyncIterable<Buffer>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** The number of first bytes that were read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Yields the uncompressed bytes from the start, at most 1 MiB. */
  async *look(): AsyncGenerator<Buffer> {
    for (let i = 0; i < this.#held.length || (await this.#more()); i++) yield this.#held[i]!;
  }

  /** The first bytes; fewer if the input ends before. */
  async head(bytes: number): Promise<Buffer> {
    while (this.#bytes < bytes && (await this.#more()));
    return Buffer.concat(this.#held).subarray(0, bytes);
  }

  /** All of it, once. */
  async *read(): AsyncGenerator<Buffer> {
    try {
      yield* this.#held.splice(0);
      while (await this.#more(Number.POSITIVE_INFINITY)) yield* this.#held.splice(0);
    } finally {
      await this.close();
    }
  }

  close(): Promise<unknown> {
    return Promise.resolve(this.#input.return?.());
  }

  async #more(limit = MAX_LOOK_BYTES): Promise<boolean> {
    if (this.#isOver || this.#bytes >= limit) return false;
    const { done, value } = await this.#input.next();
    if (done === true) this.#isOver = true;
    else {
      this.#held.push(value);
      this.#bytes += value.length;
    }
    return !this.#isOver;
  }
}

/**
 * Returns true if frames have a tar that tntar did not write. In an archive of tntar, the header of the first entry is
 * a frame of its own. Damage in that frame is left to the reader of archives.
 */
async function isForeignTar(bytes: AsyncIterable<Buffer>): Promise<boolean> {
  const frames = new FrameReader(bytes);
  try {
    const block = Buffer.alloc(BLOCK_BYTES + 1);
    if (!(await frames.next())) return false;
    const { bytes: length } = await frames.read(block);
    return length === block.length && startsTar(block);
  } catch {
    return false;
  } finally {
    await frames.close();
  }
}

async function* gunzip(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(input);
  const output = createGunzip();
  let failure: Error | undefined;
  source.once('error', (error) => {
    failure = error;
    output.destroy(error);
  });
  try {
    yield* source.pipe(output);
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw new TntarError('archive', `cannot decompress: ${messageOf(error)}`, { cause: error });
  } finally {
    source.destroy();
  }
}

const GZIP_MAGIC = 0x1f8b;

/** Returns the tar that the input is or contains; undefined if the input has to be read as an archive of tntar. */
async function tarIn(input: Ahead): Promise<AsyncIterable<Buffer> | undefined> {
  const head = await input.head(4);
  if (head.length < 4) return undefined;
  if (head.readUInt16BE(0) === GZIP_MAGIC) return gunzip(input.read());
  if (startsFrame(head)) {
    return (await isForeignTar(input.look())) ? unfold(input.read()) : undefined;
  }
  // A program that writes a tar writes whole blocks. Any other input may never send more bytes.
  if (input.bytes < BLOCK_BYTES) return undefined;
  return startsTar(await input.head(BLOCK_BYTES)) ? input.read() : undefined;
}

/** Distinguishes a tar, compressed or not, from an archive of tntar. Reads no more bytes than necessary. */
export async function holdsTar(input: AsyncIterable<Buffer>): Promise<boolean> {
  const ahead = new Ahead(input);
  try {
    return (await tarIn(ahead)) !== undefined;
  } finally {
    await ahead.close();
  }
}

/** Reads a tar, whose entries come in any order: they go to a temporary file, and are read from there. */
async function* readTar(
  tar: AsyncIterable<Buffer>,
  reading: Reading,
  report: Report,
): AsyncGenerator<BackupItem> {
  const scratch = new Scratch(reading.memory);
  try {
    report.note(`unpacking a tar into a temporary file in ${tmpdir()}`);
    const folder = await spool(tar, scratch.file());
    yield* readFolder(folder, { ...reading, countBytes: (chunks) => chunks }, report);
  } finally {
    await scratch.close();
  }
}

/** Options of a stream; see {@link ArchiveReading}. */
export type StreamReading = Pick<ArchiveReading, 'bytes' | 'isStrict' | 'shard'>;

async function* readStream(
  input: AsyncIterable<Buffer>,
  reading: Reading,
  report: Report,
  { bytes, isStrict, shard }: StreamReading,
): AsyncGenerator<BackupItem> {
  const ahead = new Ahead(reading.countBytes(input, bytes));
  const tar = await tarIn(ahead);
  if (tar === undefined)
    yield* readArchive(ahead.read(), { isStrict, memory: reading.memory, shard });
  else yield* readTar(tar, reading, report);
}

/**
 * A backup from a stream, such as a pipe: an archive; or a tar, which may be compressed by zstd or gzip, of an
 * unpacked archive or of a directory of the Lua module `tarantool/dump`. Which of them it is its first bytes tell.
 *
 * @param report - gets the place where a tar is unpacked, and warnings about contents that cannot be verified
 * @example
 * const begin = streamOrigin(process.stdin, report);
 */
export function streamOrigin(
  input: AsyncIterable<Buffer>,
  report: Report,
  how: StreamReading = {},
): Origin {
  return (reading) =>
    itemReadable(readStream(input, reading, report, how), () => {
      if (input instanceof Readable) input.destroy();
    });
}
