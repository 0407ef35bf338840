import { Writable } from 'node:stream';
import type { BackupItem } from '../backup/item.js';
import { TntarError } from '../base/errors.js';

/** A writable that takes one item after the other, and that finishes only after the end of a backup. */
export abstract class ItemWritable extends Writable {
  /** True once the end has been taken, and all is well. */
  protected isComplete = false;

  constructor() {
    super({ objectMode: true, highWaterMark: 1 });
  }

  protected abstract take(item: BackupItem): Promise<void>;

  override _write(item: BackupItem, _encoding: string, callback: (error?: Error) => void): void {
    this.take(item).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    callback(
      this.isComplete ? null : new TntarError('failure', 'the source stopped before its end'),
    );
  }
}
