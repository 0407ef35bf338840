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
 * Gathers what a restore has to know of a backup, and finds out whether it can be true.
 *
 * @example
 * const collector = new Collector();
 * collector.start(manifest);
 * if (!collector.take(batch)) load(batch, collector.head());
 * collector.end(end);
 */
export class Collector {
  #catalog: Catalog | undefined = new Catalog('archive');
  readonly #counter = new Counter();
  #manifest: Manifest | undefined;
  #excluded: ReadonlySet<number> = new Set();
  #head: Head | undefined;
  /** Ids of the spaces that have a primary index, once all definitions have come. */
  #keyed: ReadonlySet<number> | undefined;

  /** What has come, by the backup's space id. */
  get counts(): ReadonlyMap<number, Count> {
    return this.#counter.counts;
  }

  start(manifest: Manifest): void {
    this.#manifest = manifest;
    this.#excluded = excludedIn(manifest.spaces);
  }

  /**
   * Counts a batch, and keeps what it says where it is of a system space.
   *
   * @returns false where it is of a user's space: it is then for the caller
   * @throws TntarError of kind `archive` for what cannot be decoded, and for rows that no space can hold
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
   * To be asked for when all rows of system spaces have come.
   *
   * @throws TntarError of kind `archive` for what no server can have had
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

  /** Frees the definitions, which may take more memory than all rows on their way. They cannot be asked for again. */
  forget(): void {
    this.#manifest = undefined;
    this.#catalog = undefined;
    this.#head = undefined;
  }

  #spacesWithKey(): ReadonlySet<number> {
    if (this.#keyed === undefined) this.head();
    return this.#keyed!;
  }

  /** @throws TntarError of kind `failure` where not all has come that was read */
  end({ counts }: BackupEnd): void {
    const difference = countsDiffer(counts, this.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
  }
}
