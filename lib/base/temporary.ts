import { rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';

/** The mode of temporary files: they have password hashes and all data. */
const PRIVATE = 0o700;

/**
 * A folder for a while, of mode 0700. It goes when it is removed, or at the latest when the process ends by
 * anything but SIGKILL.
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

  /** Gives it a name under which it stays; what has that name may be an empty folder only. */
  async keepAs(path: string): Promise<void> {
    await rename(this.path, path);
    process.off('exit', this.#onExit);
  }

  /** Leaves it to somebody else, who removes it. */
  leave(): void {
    process.off('exit', this.#onExit);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    process.off('exit', this.#onExit);
  }
}
