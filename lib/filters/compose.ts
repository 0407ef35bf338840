import type { Duplex } from 'node:stream';
import chain from 'stream-chain';
import type { BackupItem } from '../archive/items.js';

/** What stands between a source and a sink: gets one item after the other, and hands each on. */
export type Stage = (item: BackupItem) => BackupItem;

/** Batches that wait between two stages: a batch may be as large as a part. */
const HIGH_WATER_MARK = 1;

/**
 * Makes one stream of stages, for a place in a `pipeline`. An error that a stage throws is the
 * pipeline's.
 *
 * @example
 * await pipeline(source, compose([strict, totals.see]), sink);
 */
export function compose(stages: readonly Stage[]): Duplex {
  return chain([...stages] as [Stage, ...Stage[]], {
    objectMode: true,
    highWaterMark: HIGH_WATER_MARK,
  });
}
