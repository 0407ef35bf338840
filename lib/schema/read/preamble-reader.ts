import type { TupleBatch } from '../../backup/batch.js';
import { type BackupEnd, type Count, Counter, countsDiffer } from '../../backup/item.js';
import type { Manifest } from '../../backup/manifest.js';
import { TntarError } from '../../base/errors.js';
import { Catalog } from '../catalog/catalog.js';
import { excludedIn } from '../catalog/excluded-rows.js';
import type { Head } from '../catalog/preamble.js';
import { SYSTEM_ID_MAX } from '../server/system-spaces.js';
import { checkNesting, validate } from './validate.js';

/**
 * Collects the definitions of a backup, and checks that a server can have had them.
 *
 * @example
 * const preamble = new PreambleReader();
 * preamble.start(manifest);
 * if (!preamble.take(batch)) load(batch, preamble.head());
 * preamble.end(end);
 */
export class PreambleReader {
  #catalog: Catalog | undefined = new Catalog('archive');
  readonly #counter = new Counter();
  #manifest: Manifest | undefined;
  #excluded: ReadonlySet<number> = new Set();
  #head: Head | undefined;
  /** Ids of the spaces that have a primary index, once all definitions were read. */
  #keyed: ReadonlySet<number> | undefined;

  /** Counts of the rows so far, by the backup's space id. */
  get counts(): ReadonlyMap<number, Count> {
    return this.#counter.counts;
  }

  start(manifest: Manifest): void {
    this.#manifest = manifest;
    this.#excluded = excludedIn(manifest.spaces);
  }

  /**
   * Counts a batch, and keeps the rows of a system space.
   *
   * @returns false for rows of a user's space, which the caller must handle
   * @throws TntarError of kind `archive` for rows that cannot be decoded, or that the space cannot store
   */
  take(batch: TupleBatch): boolean {
    this.#counter.add(batch);
    const { id, name } = batch.space;
    if (id > SYSTEM_ID_MAX) {
      if (!this.#spacesWithKey().has(id)) {
        throw new TntarError('archive', `space '${name}' has rows but no primary index`);
      }
      if (this.#excluded.has(id)) {
        throw new TntarError(
          'archive',
          `space '${name}' has rows, but the manifest says that they are excluded`,
        );
      }
      return false;
    }
    if (this.#keyed !== undefined || this.#catalog === undefined)
      throw new Error('rows of a system space came after those of a user space');
    this.#catalog.addAll(id, batch.bytes, (row) => checkNesting(id, row));
    batch.release?.();
    return true;
  }

  /**
   * Returns the preamble. Call after the last batch of system rows.
   *
   * @throws TntarError of kind `archive` for definitions that no server can have had
   */
  head(): Head {
    if (this.#head !== undefined) return this.#head;
    const [manifest, catalog] = [this.#manifest, this.#catalog];
    if (manifest === undefined) throw new Error('rows or the end came before the start');
    if (catalog === undefined) throw new Error('the definitions were already released');
    validate(manifest.spaces, catalog);
    this.#keyed = new Set(catalog.primaryKeys.keys());
    this.#head = { manifest, catalog };
    return this.#head;
  }

  /** Frees the definitions, which may take more memory than all rows in flight. Do not call `head()` after this. */
  forget(): void {
    this.#manifest = undefined;
    this.#catalog = undefined;
    this.#head = undefined;
  }

  #spacesWithKey(): ReadonlySet<number> {
    if (this.#keyed === undefined) this.head();
    return this.#keyed!;
  }

  /**
   * Checks the counts at the end of the backup.
   *
   * @throws TntarError of kind `failure` if rows are missing
   */
  end({ counts }: BackupEnd): void {
    const difference = countsDiffer(counts, this.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
  }
}
