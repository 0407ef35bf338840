import { createReadStream, type Stats, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { messageOf, TntarError } from '../base/errors.js';
import { checkValue, type Kind } from '../base/option-checks.js';
import { onAbort } from '../base/signals.js';
import type { OpenBytes, OpenFrom } from './survey.js';

/**
 * An archive that can be read from any of its bytes on, so that what is not needed of it is not read.
 *
 * @example
 * const file: ArchiveFile = {
 *   size: statSync('backup.tar.zst').size,
 *   open: (start) => createReadStream('backup.tar.zst', { start }),
 * };
 */
export interface ArchiveFile {
  /** The size in bytes. */
  size: number;
  open: OpenBytes;
}

/**
 * An archive, wherever it is: the path or the `file:` URL of a file, a Blob, an {@link ArchiveFile}, or a stream of its
 * bytes. A stream can be read once; of everything else, only what is needed is read.
 *
 * @example
 * const inputs: ArchiveInput[] = ['backup.tar.zst', new Blob([bytes]), process.stdin];
 */
export type ArchiveInput = string | URL | Blob | ArchiveFile | AsyncIterable<Uint8Array>;

const isIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

const STREAM: Kind = { words: 'a stream of bytes', takes: isIterable };

const FILE: Kind = {
  words: 'a file that is read from where it is asked to: { size, open(start) }',
  takes: (value) => {
    const { size, open } = Object(value) as Partial<ArchiveFile>;
    return Number.isSafeInteger(size) && Number(size) >= 0 && typeof open === 'function';
  },
};

const isPlace = (value: unknown): value is string | URL | Blob =>
  (typeof value === 'string' && value !== '') || value instanceof URL || value instanceof Blob;

const INPUT: Kind = {
  words: `a path, a file: URL, a Blob, ${STREAM.words}, or ${FILE.words}`,
  takes: (value) => isPlace(value) || isIterable(value) || FILE.takes(value),
};

const INPUT_HINT = 'for bytes in memory, use new Blob([bytes])';

/**
 * Finds out how an archive can be read: from any of its bytes, or once from the front, as a pipe can. Nothing is opened.
 *
 * @throws TntarError of kind `usage` if a path or URL names no file that can be read
 * @example
 * const opened = openInput('backup.tar.zst');
 * if (isFile(opened)) opened.size;
 */
export function openInput(input: ArchiveInput): ArchiveFile | AsyncIterable<Uint8Array> {
  checkValue('the archive', input, INPUT, INPUT_HINT);
  if (input instanceof Blob) return { size: input.size, open: (start) => bytesOf(input, start) };
  return isPlace(input) ? openPath(pathOf(input)) : input;
}

/**
 * Opens an archive that has to be read more than once.
 *
 * @param call - for messages, e.g. `salvage`
 * @throws TntarError of kind `usage` for a stream, or what {@link openInput} throws
 * @example
 * const { size, open } = openFile('backup.tar.zst', 'salvage');
 */
export function openFile(input: ArchiveInput, call: string): ArchiveFile {
  const opened = openInput(input);
  if (isFile(opened)) return opened;
  throw new TntarError(
    'usage',
    `${call} reads the archive twice, but a stream can be read only once`,
    {
      hint: 'save the archive to a file, and pass its path',
    },
  );
}

export function isFile(opened: ArchiveFile | AsyncIterable<Uint8Array>): opened is ArchiveFile {
  return !(Symbol.asyncIterator in opened);
}

const bytesOf = (blob: Blob, start: number): Readable =>
  Readable.fromWeb(blob.slice(start).stream());

function cannotRead(why: string): TntarError {
  return new TntarError('usage', `cannot read the archive: ${why}`, {
    hint: 'check the path, and that you may read the file',
  });
}

function pathOf(place: string | URL): string {
  if (typeof place === 'string') return place;
  try {
    return fileURLToPath(place);
  } catch (error) {
    throw cannotRead(messageOf(error));
  }
}

function openPath(path: string): ArchiveFile | AsyncIterable<Uint8Array> {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    throw cannotRead(messageOf(error));
  }
  if (stats.isDirectory()) throw cannotRead(`${path} is a directory`);
  if (!stats.isFile()) return new Pipe(path);
  return { size: stats.size, open: (start) => createReadStream(path, { start }) };
}

/** A file that can be read only from its front. It is opened by its reader: until then there is nothing to close. */
class Pipe implements AsyncIterable<Buffer> {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  open(): Readable {
    return createReadStream(this.#path);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.open()[Symbol.asyncIterator]();
  }
}

/** Makes a stream of an iterable. Destroying it does not wait for a chunk that may never come. */
function streamed(input: AsyncIterable<Uint8Array>): Readable {
  const chunks = input[Symbol.asyncIterator]();
  return new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      chunks.return?.().catch(() => {});
      callback(error);
    },
  });
}

/** Returns a stream that can be destroyed while it is silent. */
function destroyable(input: AsyncIterable<Uint8Array>): Readable {
  if (input instanceof Readable) return input;
  if (input instanceof Pipe) return input.open();
  return input instanceof ReadableStream ? Readable.fromWeb(input) : streamed(input);
}

/**
 * Yields the chunks of a stream as buffers. Streams of the web, and of many libraries, give plain Uint8Arrays.
 *
 * @param signal - closes the stream, also while it is silent
 * @returns its error is a TntarError of kind `usage` if the chunks are no bytes
 * @example
 * for await (const chunk of asBuffers(new Blob(['x']).stream())) chunk.toString('latin1');
 */
export async function* asBuffers(
  input: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  checkValue('the archive', input, STREAM, INPUT_HINT);
  const stream = destroyable(input);
  const release = onAbort(signal, () => stream.destroy());
  try {
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) {
        throw new TntarError('usage', `the chunks of the archive are not bytes (${typeof chunk})`, {
          hint: 'remove setEncoding and the option encoding: a stream with an encoding yields strings',
        });
      }
      yield Buffer.isBuffer(chunk)
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  } finally {
    release();
  }
}

/** Wraps a function that opens an archive, so that all chunks are buffers; see {@link asBuffers}. */
export function openingBuffers(open: OpenBytes): OpenFrom {
  return (start, signal) => asBuffers(open(start), signal);
}
