import { Writable } from 'node:stream';
import { type BackupItem, type Count, Counter, countsDiffer } from '../archive/items.js';
import type { Manifest } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Catalog } from '../schema/catalog.js';
import type { RestorePlan } from '../schema/plan.js';
import { SYSTEM_ID_MAX } from '../schema/system.js';
import { eachTuple } from '../tuple/batch.js';
import { planFor, type Wanted } from './target.js';

/** What a restore would do. */
export interface Preview {
  manifest: Manifest;
  plan: RestorePlan;
  /** By the backup's space id. */
  counts: ReadonlyMap<number, Count>;
}

/**
 * A sink that reads a whole backup, asks the target, and writes nothing. `onPreview` is called before it
 * finishes.
 *
 * @example
 * await pipeline(archiveSource(process.stdin), previewSink(connection, {}, (preview) => show(preview)));
 */
export function previewSink(
  connection: Connection,
  wanted: Wanted,
  onPreview: (preview: Preview) => void,
): Writable {
  const backup = new Catalog();
  const counter = new Counter();
  let manifest: Manifest | undefined;
  let isComplete = false;
  const take = async (item: BackupItem): Promise<void> => {
    if (item.kind === 'start') {
      manifest = item.manifest;
    } else if (item.kind === 'tuples') {
      counter.add(item);
      if (item.space.id <= SYSTEM_ID_MAX) {
        for (const row of eachTuple(item.bytes)) backup.add(item.space.id, Buffer.from(row));
      }
      item.release?.();
    } else {
      const difference = countsDiffer(item.counts, counter.counts);
      if (difference !== undefined)
        throw new TntarError('failure', `rows were lost: ${difference}`);
      if (manifest === undefined) throw new Error('the end came before the start');
      const plan = await planFor(connection, manifest, backup, wanted);
      onPreview({ manifest, plan, counts: counter.counts });
      isComplete = true;
    }
  };
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(item: BackupItem, _encoding, callback) {
      take(item).then(() => callback(), callback);
    },
    final(callback) {
      callback(isComplete ? null : new TntarError('failure', 'the source stopped before its end'));
    },
  });
}
