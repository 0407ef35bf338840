import { randomUUID } from 'node:crypto';
import { close, openSync, read, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, TntarError } from './errors.js';
import { LargeMemory } from './large-memory.js';

const files = { close: promisify(close), read: promisify(read), write: promisify(write) };

/** Rows of a database: for the owner's eyes. */
const PRIVATE = 0o600;

function failed(error: unknown): TntarError {
  return new TntarError('failure', `cannot use a temporary file: ${messageOf(error)}`, {
    cause: error,
    hint: `set TMPDIR to another directory than ${tmpdir()}`,
  });
}

/** A file without a name. */
export class ScratchFile {
  readonly #fd: number;
  #size = 0;
  /** The memory for values that are too large for memory of their own. */
  readonly memory: LargeMemory;

  constructor(fd: number, memory: LargeMemory) {
    this.#fd = fd;
    this.memory = memory;
  }

  get size(): number {
    return this.#size;
  }

  async append(bytes: Buffer): Promise<void> {
    const at = this.#size;
    this.#size += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await files
        .write(this.#fd, bytes, done, bytes.length - done, at + done)
        .catch((error: unknown) => Promise.reject(failed(error)));
      done += bytesWritten;
    }
  }

  /**
   * @param start - of bytes that were appended, up to `end`
   * @param memory - has room for them
   */
  async read(start: number, end: number, memory?: Buffer): Promise<Buffer> {
    const bytes = memory?.subarray(0, end - start) ?? Buffer.allocUnsafe(end - start);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await files
        .read(this.#fd, bytes, done, bytes.length - done, start + done)
        .catch((error: unknown) => Promise.reject(failed(error)));
      if (bytesRead === 0) throw failed('it ends too early');
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return files.close(this.#fd);
  }
}

/**
 * Temporary files that lose their names as soon as they are open: the system removes them when they are
 * closed, and also if the process is killed.
 *
 * @example
 * const scratch = new Scratch();
 * const file = scratch.file();
 * await file.append(bytes);
 * await scratch.close();
 */
export class Scratch {
  readonly #files = new Set<ScratchFile>();
  readonly #memory: LargeMemory;

  /** @param memory - of the run */
  constructor(memory: LargeMemory = new LargeMemory()) {
    this.#memory = memory;
  }

  /** @throws TntarError if `TMPDIR` takes no file */
  file(): ScratchFile {
    try {
      const path = join(tmpdir(), `tntar-${randomUUID()}`);
      // In one turn: no signal handler runs before the name is gone.
      const file = new ScratchFile(openSync(path, 'wx+', PRIVATE), this.#memory);
      this.#files.add(file);
      unlinkSync(path);
      return file;
    } catch (error) {
      throw failed(error);
    }
  }

  async remove(file: ScratchFile): Promise<void> {
    if (this.#files.delete(file)) await file.close();
  }

  async close(): Promise<void> {
    for (const file of this.#files) await this.remove(file);
  }
}
