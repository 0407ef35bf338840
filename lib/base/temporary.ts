import { rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';

/** The mode of temporary files: they have password hashes and all data. */
const PRIVATE = 0o700;

/**
 * A temporary folder of mode 0700. It exists until it is removed, or until the process ends in any way except
 * SIGKILL.
 *
 * @example
 * const folder = await TemporaryFolder.at('dump.partial');
 * try {
 *   await writeFile(join(folder.path, 'some.txt'), 'text');
 * } finally {
 *   await folder.remove();
 * }
 */
export class TemporaryFolder {
  readonly path: string;
  readonly #onExit: () => void;

  private constructor(path: string) {
    this.path = path;
    this.#onExit = () => rmSync(path, { recursive: true, force: true });
    process.once('exit', this.#onExit);
  }

  /** Creates a file of this name. @throws the system's error, also if the name is taken */
  static async at(path: string): Promise<TemporaryFolder> {
    await mkdir(path, { mode: PRIVATE });
    return new TemporaryFolder(path);
  }

  /** Gives it a permanent name, which only an empty folder may already have. */
  async keepAs(path: string): Promise<void> {
    await rename(this.path, path);
    process.off('exit', this.#onExit);
  }

  /** Leaves the removal of the folder to the caller. */
  leave(): void {
    process.off('exit', this.#onExit);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    process.off('exit', this.#onExit);
  }
}
