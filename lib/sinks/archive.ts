import { Transform, type TransformCallback } from 'node:stream';
import { DEFAULT_LEVEL, MAX_LEVEL } from '../archive/compression.js';
import { ArchiveWriter } from '../archive/writer.js';
import { type BackupItem, Counter, countsDiffer } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import { checkOptions, type Kind, type Kinds, wholeFrom } from '../base/option-checks.js';
import { quoted } from '../base/report.js';

/** Options of an archive. */
export interface ArchiveOptions {
  /** zstd level, 1 to 19. Default 1. */
  level?: number | undefined;
}

/** The check of a level. Beyond the highest level, zstd uses windows that no reader of archives allocates. */
export const LEVEL: Kind = wholeFrom(1, MAX_LEVEL);

const KINDS: Kinds<ArchiveOptions> = { level: LEVEL };

/** The position in the source. It decides which items may come. */
type Place = 'before' | 'within' | 'behind';

function checkPlace(place: Place, { kind }: BackupItem): void {
  const isStart = kind === 'start';
  if (place === 'within' ? !isStart : place === 'before' && isStart) return;
  const what = {
    before: `begins with an item of kind ${quoted(kind)}, not with a start`,
    within: 'begins twice',
    behind: 'continues after its end',
  };
  throw new TntarError('failure', `the source ${what[place]}`);
}

/**
 * Turns a backup into the bytes of an archive. The trailer, without which the bytes are not a backup, is written only
 * after the source has said that it is complete, and if all its rows have arrived.
 *
 * @returns a stream that takes items and gives compressed bytes; its error is a TntarError of kind `failure` if rows
 * were lost, or rows of a space came in two places, or the source did not begin with its start and stop at its end
 * @throws TntarError of kind `usage` for invalid options
 * @example
 * await pipeline(snapshotSource(connection), archiveSink({ level: 3 }), process.stdout);
 */
export function archiveSink(options: ArchiveOptions = {}): Transform {
  checkOptions('archiveSink', options, KINDS);
  const { level = DEFAULT_LEVEL } = options;
  const counter = new Counter();
  let place: Place = 'before';
  const handle = async (item: BackupItem): Promise<void> => {
    checkPlace(place, item);
    if (item.kind === 'start') {
      place = 'within';
      return writer.start(item.manifest);
    }
    if (item.kind === 'tuples') {
      counter.add(item);
      await writer.add(item);
      item.release?.();
      return;
    }
    const difference = countsDiffer(item.counts, counter.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
    place = 'behind';
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
      const isWhole = place === 'behind';
      callback(isWhole ? null : new TntarError('failure', 'the source stopped before its end'));
    },
  });
  const writer = new ArchiveWriter({ level }, (chunk) => sink.push(chunk));
  return sink;
}
