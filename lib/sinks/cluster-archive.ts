import { Transform, type TransformCallback } from 'node:stream';
import { ClusterWriter } from '../archive/cluster-writer.js';
import { DEFAULT_LEVEL } from '../archive/compression.js';
import type { ClusterItem, ShardItem } from '../backup/cluster-item.js';
import { Counter, countsDiffer } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import { checkOptions, type Kinds } from '../base/option-checks.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import { type ArchiveOptions, LEVEL } from './archive.js';

const KINDS: Kinds<ArchiveOptions> = { level: LEVEL };

const broken = (what: string): TntarError => new TntarError('failure', `the source ${what}`);

/** What has come of one shard. */
class ShardProgress {
  readonly counter = new Counter();
  place: 'before' | 'definitions' | 'rows' | 'behind' = 'before';
}

/** Writes items of a cluster, and checks their order and counts. */
class ClusterArchive {
  readonly #writer: ClusterWriter;
  #shards: ShardProgress[] = [];
  /** The shards whose definitions have begun: these come before the first row of any. */
  #begun = 0;
  #hasRows = false;
  isWhole = false;

  constructor(writer: ClusterWriter) {
    this.#writer = writer;
  }

  async take(item: ClusterItem): Promise<void> {
    if (this.isWhole) throw broken('continues after its end');
    if (item.kind === 'cluster') {
      if (this.#shards.length > 0) throw broken('begins twice');
      this.#shards = item.cluster.shards.map(() => new ShardProgress());
      return this.#writer.start(item.cluster);
    }
    if (item.kind === 'shard') return this.#takeOf(item);
    const open = this.#shards.findIndex(({ place }) => place !== 'behind') + 1;
    if (open > 0 || this.#shards.length === 0) throw broken(`ends before shard ${open}`);
    this.isWhole = true;
    const { kind: _, ...end } = item;
    return this.#writer.end(end);
  }

  async #takeOf({ shard, item }: ShardItem): Promise<void> {
    const progress = this.#shards[shard - 1];
    if (progress === undefined) throw broken(`has no shard ${shard}`);
    if (item.kind === 'start') {
      if (shard !== ++this.#begun) throw broken(`begins shard ${shard} too early or twice`);
      progress.place = 'definitions';
      return this.#writer.startShard(shard, item.manifest);
    }
    const { place, counter } = progress;
    if (place === 'before' || place === 'behind') throw broken(`has items ${place} shard ${shard}`);
    if (item.kind === 'tuples') {
      const isRow = item.space.id > SYSTEM_ID_MAX;
      if (isRow && this.#begun < this.#shards.length) throw broken('has rows before definitions');
      if (!isRow && place === 'rows') throw broken(`has definitions of shard ${shard} too late`);
      if (isRow && !this.#hasRows) {
        this.#hasRows = true;
        await this.#writer.endDefinitions();
      }
      progress.place = isRow ? 'rows' : 'definitions';
      counter.add(item);
      return this.#writer.add(shard, item);
    }
    const difference = countsDiffer(item.counts, counter.counts);
    if (difference !== undefined) {
      throw new TntarError('failure', `rows of shard ${shard} were lost: ${difference}`);
    }
    progress.place = 'behind';
    const { kind: _, counts: __, ...closing } = item;
    return this.#writer.endShard(shard, closing);
  }
}

/**
 * Turns a backup of a cluster into the bytes of an archive. The trailer, without which the bytes are not a backup, is
 * written only after the end of all shards, and if all their rows have arrived.
 *
 * @returns a stream that takes items and gives compressed bytes; its error is a TntarError of kind `failure` if rows
 *   were lost, or the items came in another order
 * @throws TntarError of kind `usage` for invalid options
 * @example
 * await pipeline(clusterItems, clusterArchiveSink({ level: 3 }), process.stdout);
 */
export function clusterArchiveSink(options: ArchiveOptions = {}): Transform {
  checkOptions('clusterArchiveSink', options, KINDS);
  const { level = DEFAULT_LEVEL } = options;
  const sink = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(item: ClusterItem, _encoding, callback: TransformCallback) {
      archive.take(item).then(() => callback(), callback);
    },
    flush(callback: TransformCallback) {
      callback(archive.isWhole ? null : broken('stopped before its end'));
    },
  });
  const archive = new ClusterArchive(new ClusterWriter({ level }, (chunk) => sink.push(chunk)));
  return sink;
}
