import { Writable } from 'node:stream';
import type { BackupItem } from '../archive/items.js';
import { TntarError } from '../errors.js';

/**
 * A writable that takes one item after the other, and that finishes only behind the end of a backup.
 *
 * @param isComplete - true once the end has been taken, and all is well
 */
export function itemWritable(
  take: (item: BackupItem) => Promise<void>,
  isComplete: () => boolean,
): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(item: BackupItem, _encoding, callback) {
      take(item).then(() => callback(), callback);
    },
    final(callback) {
      callback(
        isComplete() ? null : new TntarError('failure', 'the source stopped before its end'),
      );
    },
  });
}
