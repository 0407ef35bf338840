import { Transform, type TransformCallback } from 'node:stream';
import { type BackupItem, Counter, countsDiffer } from '../archive/items.js';
import { ArchiveWriter, type WriterOptions } from '../archive/writer.js';
import { TntarError } from '../errors.js';

/**
 * Turns a backup into the bytes of an archive. The trailer, without which the bytes are no backup, is
 * written only when the source said that it is at its end and that all it read has arrived.
 *
 * @example
 * await pipeline(snapshotSource(connection), archiveSink({ level: 1 }), process.stdout);
 */
export function archiveSink(options: WriterOptions): Transform {
  const counter = new Counter();
  let ended = false;
  const handle = async (item: BackupItem): Promise<void> => {
    if (item.kind === 'start') return writer.start(item.manifest);
    if (item.kind === 'tuples') {
      counter.add(item);
      await writer.add(item);
      item.release?.();
      return;
    }
    const difference = countsDiffer(item.counts, counter.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
    ended = true;
    const { kind: _, counts: __, ...closing } = item;
    return writer.end(closing);
  };
  const sink = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(item: BackupItem, _encoding, callback: TransformCallback) {
      handle(item).then(() => callback(), callback);
    },
    flush(callback: TransformCallback) {
      callback(ended ? null : new TntarError('failure', 'the source stopped before its end'));
    },
  });
  const writer = new ArchiveWriter(options, (chunk) => sink.push(chunk));
  return sink;
}
