import type { Duplex } from 'node:stream';
import { chainUnchecked } from 'stream-chain';
import type { BackupItem } from '../backup/item.js';
import { HIGH_WATER_MARK, itemDuplex } from './item-duplex.js';

/**
 * A stage of your own: gets one item after the other, and hands each on.
 *
 * @example
 * const loud: Stage = (item) => {
 *   if (item.kind === 'tuples') console.log(`${item.space.name}: ${item.count} rows`);
 *   return item;
 * };
 */
export type Stage = (item: BackupItem) => BackupItem;

/**
 * Makes one stream of stages, for a place in a `pipeline`. `chain` of stream-chain does the same, but holds 16 items at
 * each end of a function. This holds only one, because an item may have some MiB.
 *
 * @param stages - functions of an item, and streams such as {@link filterStage} returns; without any, all items
 *   pass unchanged
 * @returns a stream in object mode; an error that a stage throws is its error
 * @example
 * await pipeline(snapshotSource(connection), compose([loud]), archiveSink(), output);
 */
export function compose(stages: readonly (Stage | Duplex)[]): Duplex {
  if (stages.length === 0) return itemDuplex((item) => item);
  const streams = stages.map((stage) => (typeof stage === 'function' ? itemDuplex(stage) : stage));
  return chainUnchecked(streams, {
    objectMode: true,
    highWaterMark: HIGH_WATER_MARK,
  });
}
