import type { Duplex } from 'node:stream';
import { asStream } from 'stream-chain';
import type { BackupItem } from '../backup/item.js';

/** Items that wait at each end of a stage: a batch may be as large as a part. */
export const HIGH_WATER_MARK = 1;

/**
 * A stream that makes items of each item that comes. What `stage` throws is its error.
 *
 * @example
 * const run = new FilterRun(filter, report);
 * await pipeline(source, itemDuplex((item) => run.take(item)), sink);
 */
export function itemDuplex(
  stage: (item: BackupItem) => BackupItem | AsyncIterator<BackupItem>,
): Duplex {
  return asStream(stage, { objectMode: true, highWaterMark: HIGH_WATER_MARK });
}
