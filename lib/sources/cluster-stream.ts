import { decodeCluster, decodeClusterTrailer } from '../archive/cluster-json.js';
import { CLUSTER, shardEntry } from '../archive/entries.js';
import { decodeManifest } from '../archive/manifest-json.js';
import type { Entry } from '../archive/reader.js';
import { compareEntries, decodeTrailer, type EntryRecord } from '../archive/trailer.js';
import type { ClusterItem } from '../backup/cluster-item.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import { EntryOrder, misfit } from './entry-order.js';

/** Makes items of the entries of one shard, and checks them against its trailer. */
class ShardReader {
  readonly #shard: number;
  readonly #seen: EntryRecord[] = [];
  readonly #counter = new Counter();
  #order: EntryOrder | undefined;
  isOver = false;

  constructor(shard: number) {
    this.#shard = shard;
  }

  take(entry: Entry): BackupItem {
    const { name, body, record } = entry;
    // a shard alone is an archive of one instance, with the names of one
    const own = { ...record, name: record.name.slice(shardEntry(this.#shard, '').length) };
    if (this.isOver) throw misfit(`entry ${record.name} is behind the trailer of its shard`);
    if (name.kind === 'trailer') {
      const { entries, ...end } = decodeTrailer(body);
      compareEntries(this.#seen, entries);
      this.isOver = true;
      return { kind: 'end', ...end, counts: this.#counter.counts };
    }
    this.#seen.push(own);
    if (name.kind === 'manifest') {
      const manifest = decodeManifest(body);
      this.#order = new EntryOrder(manifest, this.#shard);
      return { kind: 'start', manifest };
    }
    const space = this.#order!.accept({ name, record });
    const { largest, release } = entry;
    const batch = { kind: 'tuples', space, count: record.rows, bytes: body, release } as const;
    this.#counter.add(batch);
    return largest === undefined ? batch : { ...batch, largest };
  }
}

/** The shards of an archive, whose definitions come one after the other, before the first row of any. */
class Shards {
  readonly #shards: ShardReader[];
  /** The shard whose definitions came last. */
  #begun = 0;
  #hasRows = false;

  constructor(count: number) {
    this.#shards = Array.from({ length: count }, (_, i) => new ShardReader(i + 1));
  }

  take(entry: Entry): { shard: number; item: BackupItem } {
    const { name, record } = entry;
    const { shard } = name;
    const reader = shard === undefined ? undefined : this.#shards[shard - 1];
    if (shard === undefined || reader === undefined) {
      throw misfit(`entry ${record.name} is of no shard of the cluster`);
    }
    this.#checkPlace(entry, shard);
    return { shard, item: reader.take(entry) };
  }

  #checkPlace({ name, record }: Entry, shard: number): void {
    const isManifest = name.kind === 'manifest';
    if (isManifest || (name.kind === 'tuples' && name.spaceId <= SYSTEM_ID_MAX)) {
      const isNext = shard === this.#begun + (isManifest ? 1 : 0);
      if (this.#hasRows || !isNext) throw misfit(`entry ${record.name} is out of order`);
      this.#begun = shard;
      return;
    }
    this.#hasRows = true;
    if (this.#begun === this.#shards.length) return;
    throw misfit(`entry ${record.name} comes before the definitions of all shards`);
  }

  checkOver(): void {
    const open = this.#shards.findIndex(({ isOver }) => !isOver);
    if (open >= 0) throw misfit(`shard ${open + 1} has no trailer`);
  }
}

/**
 * Yields the items of an archive of a cluster that is read from start to end.
 *
 * @param first - the entry `cluster.json`
 * @param entries - the entries after it
 * @throws TntarError of kind `archive` for anything but a whole archive
 */
export async function* readCluster(
  first: Entry,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<ClusterItem> {
  const cluster = decodeCluster(first.body);
  yield { kind: 'cluster', cluster };
  const seen = [first.record];
  const shards = new Shards(cluster.shards.length);
  for await (const entry of entries) {
    if (entry.name.kind === 'trailer' && entry.name.shard === undefined) {
      const { entries: promised, ...end } = decodeClusterTrailer(entry.body);
      compareEntries(seen, promised);
      shards.checkOver();
      yield { kind: 'end', ...end };
      continue;
    }
    if (entry.name.kind === 'cluster') throw misfit(`a second entry ${CLUSTER}`);
    seen.push(entry.record);
    yield { kind: 'shard', ...shards.take(entry) };
  }
}
