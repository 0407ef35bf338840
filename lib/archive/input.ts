import { TntarError } from '../base/errors.js';
import { checkValue, type Kind } from '../base/option-checks.js';
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
  /** In bytes. */
  size: number;
  open: OpenBytes;
}

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

const FILE_OR_STREAM: Kind = {
  words: `${STREAM.words}, or ${FILE.words}`,
  takes: (value) => isIterable(value) || FILE.takes(value),
};

const INPUT_HINT =
  'createReadStream(path) is one of a file, Readable.from([bytes]) of bytes in memory';

/**
 * Checks what an archive is read from.
 *
 * @throws TntarError of kind `usage`, for a path or for the bytes themselves, too
 * @example
 * checkInput(createReadStream('backup.tar.zst'));
 */
export function checkInput(input: unknown): void {
  checkValue('the archive', input, FILE_OR_STREAM, INPUT_HINT);
}

/**
 * Checks a file that an archive is read from.
 *
 * @throws TntarError of kind `usage`, for a stream, too
 * @example
 * checkFile({ size, open: (start) => createReadStream(path, { start }) });
 */
export function checkFile(file: unknown): void {
  checkValue('the archive', file, FILE, 'inspect reads a stream');
}

/**
 * Yields the chunks of a stream as buffers. Streams of the web, and of many libraries, give plain Uint8Arrays.
 *
 * @returns its error is a TntarError of kind `usage` where the chunks are no bytes
 * @example
 * for await (const chunk of asBuffers(new Blob(['x']).stream())) chunk.toString('latin1');
 */
export async function* asBuffers(input: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  checkValue('the archive', input, STREAM, INPUT_HINT);
  for await (const chunk of input) {
    if (!(chunk instanceof Uint8Array)) {
      throw new TntarError(
        'usage',
        `the archive comes in pieces that are no bytes (${typeof chunk})`,
        {
          hint: 'a stream with an encoding gives strings: leave setEncoding and the option encoding out',
        },
      );
    }
    yield Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

/**
 * Wraps a function that opens an archive, so that all chunks are buffers; see {@link asBuffers}.
 *
 * @throws TntarError of kind `usage` for anything but a function
 */
export function openingBuffers(open: OpenBytes): OpenFrom {
  checkValue('the archive', open, {
    words: 'a function that opens its bytes from one of them on',
    takes: (value) => typeof value === 'function',
  });
  return (start) => asBuffers(open(start));
}
