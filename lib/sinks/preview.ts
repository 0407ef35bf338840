import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { largestInTurns, type TupleBatch } from '../backup/batch.js';
import { needsOneShard } from '../backup/cluster.js';
import type { BackupItem, Count, Size } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { inTurns } from '../base/turns.js';
import { ItemWritable } from '../flow/item-writable.js';
import type { Connection } from '../iproto/connection.js';
import type { RestorePlan } from '../schema/plan/plan.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import type { RestoreScope } from './restore-options.js';
import { planFor } from './restore-target.js';

/** The effects of a restore that was not run. */
export interface PreviewResult {
  manifest: Manifest;
  plan: RestorePlan;
  /** Counts by the backup's space id. */
  counts: ReadonlyMap<number, Count>;
}

class PreviewSink extends ItemWritable {
  readonly #connection: Connection;
  readonly #wanted: RestoreScope;
  readonly #onPreview: (preview: PreviewResult) => void;
  readonly #preamble = new PreambleReader();
  /** The size of the largest row in bytes, by space id. */
  readonly #largest = new Map<number, number>();

  constructor(
    connection: Connection,
    wanted: RestoreScope,
    onPreview: (preview: PreviewResult) => void,
  ) {
    super();
    this.#connection = connection;
    this.#wanted = wanted;
    this.#onPreview = onPreview;
  }

  protected async take(item: BackupItem): Promise<void> {
    if (item.kind === 'start') {
      if (item.cluster !== undefined) throw needsOneShard(item.cluster, 'restore');
      this.#preamble.start(item.manifest);
    } else if (item.kind === 'tuples') {
      if (!this.#preamble.take(item)) await this.#measure(item);
    } else {
      this.#preamble.end(item);
      await setImmediate();
      const { manifest, catalog } = this.#preamble.head();
      await setImmediate();
      const { counts } = this.#preamble;
      const sizes = new Map(
        [...counts].map(([id, count]): [number, Size] => {
          return [id, { ...count, largest: this.#largest.get(id) ?? 0 }];
        }),
      );
      const plan = await planFor(this.#connection, manifest, catalog, this.#wanted, {
        sizes: async () => sizes,
      });
      this.#onPreview({ manifest, plan, counts });
      this.isComplete = true;
    }
  }

  async #measure(batch: TupleBatch): Promise<void> {
    const { id } = batch.space;
    const largest = batch.largest ?? (await inTurns(largestInTurns(batch)));
    this.#largest.set(id, Math.max(largest, this.#largest.get(id) ?? 0));
    batch.release?.();
  }
}

/**
 * A sink that reads a whole backup, reads the target, and writes nothing. It calls `onPreview` before it finishes.
 *
 * @example
 * await pipeline(archiveSource(process.stdin), previewSink(connection, {}, (preview) => show(preview)));
 */
export function previewSink(
  connection: Connection,
  wanted: RestoreScope,
  onPreview: (preview: PreviewResult) => void,
): Writable {
  return new PreviewSink(connection, wanted, onPreview);
}
