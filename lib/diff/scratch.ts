import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rmdir, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, TntarError } from '../errors.js';

/** Rows of a database: for the owner's eyes. */
const PRIVATE = 0o600;

function failed(error: unknown): TntarError {
  return new TntarError('failure', `cannot use a temporary file: ${messageOf(error)}`, {
    cause: error,
    hint: `it is in ${tmpdir()}; TMPDIR names another place`,
  });
}

/** A file without a name. */
export class ScratchFile {
  readonly #handle: FileHandle;
  #size = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get size(): number {
    return this.#size;
  }

  async append(bytes: Buffer): Promise<void> {
    const at = this.#size;
    this.#size += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle
        .write(bytes, done, bytes.length - done, at + done)
        .catch((error: unknown) => Promise.reject(failed(error)));
      done += bytesWritten;
    }
  }

  /** @param start - of bytes that were appended, up to `end` */
  async read(start: number, end: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(end - start);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, bytes.length - done, start + done)
        .catch((error: unknown) => Promise.reject(failed(error)));
      if (bytesRead === 0) throw failed('it ends too early');
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * Temporary files that lose their names as soon as they are open: the system takes them away when they are
 * closed, and also where the process is killed.
 *
 * @example
 * const scratch = new Scratch();
 * const file = await scratch.file();
 * await file.append(bytes);
 * await scratch.close();
 */
export class Scratch {
  readonly #files = new Set<ScratchFile>();

  async file(): Promise<ScratchFile> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'tntar-'));
      const path = join(folder, 'rows');
      const handle = await open(path, 'wx+', PRIVATE);
      const file = new ScratchFile(handle);
      this.#files.add(file);
      await unlink(path);
      await rmdir(folder);
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
