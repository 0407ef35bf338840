import type { Writable } from 'node:stream';
import type { BackupItem, Count } from '../archive/items.js';
import type { Manifest } from '../archive/manifest.js';
import { Collector } from '../filters/collector.js';
import type { Connection } from '../iproto/connection.js';
import type { RestorePlan } from '../schema/plan.js';
import { itemWritable } from './items.js';
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
  const collector = new Collector();
  let isComplete = false;
  const take = async (item: BackupItem): Promise<void> => {
    if (item.kind === 'start') {
      collector.start(item.manifest);
    } else if (item.kind === 'tuples') {
      if (!collector.take(item)) item.release?.();
    } else {
      collector.end(item);
      const { manifest, catalog } = collector.head();
      const plan = await planFor(connection, manifest, catalog, wanted);
      onPreview({ manifest, plan, counts: collector.counts });
      isComplete = true;
    }
  };
  return itemWritable(take, () => isComplete);
}
