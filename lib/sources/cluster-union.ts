import type { SpaceInfo, TupleBatch } from '../backup/batch.js';
import type { Cluster } from '../backup/cluster.js';
import type { ClusterItem, ShardItem } from '../backup/cluster-item.js';
import { type BackupItem, Counter } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { indexBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import { longListOf, quoted } from '../base/report.js';
import { type Head, systemBatches } from '../schema/catalog/preamble.js';
import { unequalDefinitions } from '../schema/describe/differences.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';

/** The error of a cluster whose shards are not one database. */
function unequal(shard: number, names: readonly string[]): TntarError {
  return new TntarError(
    'target',
    `the definitions of shard 1 and shard ${shard} differ: ${longListOf(names)}`,
    { hint: 'choose one shard of the archive with --shard' },
  );
}

/** Returns the manifest of the cluster as one database. */
function manifestOf(cluster: Cluster, heads: readonly Head[]): Manifest {
  const [first] = heads;
  const manifests = heads.map(({ manifest }) => manifest);
  const expected = new Map<string, number>();
  for (const { spaces } of manifests) {
    for (const { name, expectedRows = 0 } of spaces) {
      expected.set(name, (expected.get(name) ?? 0) + expectedRows);
    }
  }
  const sharded = new Set(cluster.sharded.map(({ name }) => name));
  const { server, source, revoked, omitted, ...rest } = first!.manifest;
  const spaces = first!.manifest.spaces.map((space) =>
    sharded.has(space.name) && space.expectedRows !== undefined
      ? { ...space, expectedRows: expected.get(space.name) ?? space.expectedRows }
      : space,
  );
  const { tool, created } = cluster;
  return {
    ...rest,
    tool,
    created,
    server: { ...server, uuid: '' },
    source,
    vclock: {},
    spaces,
    omitted,
    revoked,
  };
}

/**
 * A cluster as one database: of a sharded space the rows of all shards, of any other space those of the first one.
 * It has the definitions of the first shard.
 */
class Union {
  readonly #cluster: Cluster;
  readonly #preambles: PreambleReader[];
  readonly #sharded: ReadonlySet<string>;
  readonly #counter = new Counter();
  /** The spaces of the first shard by name, once all definitions have come. */
  #spaces: ReadonlyMap<string, SpaceInfo> | undefined;
  #isConsistent = true;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#preambles = cluster.shards.map(() => new PreambleReader());
    this.#sharded = new Set(cluster.sharded.map(({ name }) => name));
  }

  *take({ shard, item }: ShardItem): Generator<BackupItem> {
    const preamble = this.#preambles[shard - 1]!;
    if (item.kind === 'start') preamble.start(item.manifest);
    else if (item.kind === 'end') {
      yield* this.begin();
      preamble.end(item);
      this.#isConsistent &&= item.consistent;
    } else if (!preamble.take(item)) {
      yield* this.begin();
      yield* this.#counter.passAll(this.#rowsOf(shard, item));
    }
  }

  /** Yields the definitions, once. */
  *begin(): Generator<BackupItem> {
    if (this.#spaces !== undefined) return;
    const heads = this.#preambles.map((preamble) => preamble.head());
    const [first, ...others] = heads;
    for (const [i, { catalog }] of others.entries()) {
      const names = unequalDefinitions(first!.catalog, catalog);
      if (names.length > 0) throw unequal(i + 2, names);
    }
    const infos = first!.manifest.spaces.map(({ id, name, engine }) => ({ id, name, engine }));
    this.#spaces = indexBy(infos, ({ name }) => name);
    yield { kind: 'start', manifest: manifestOf(this.#cluster, heads), cluster: this.#cluster };
    yield* this.#counter.passAll(systemBatches(first!.catalog));
  }

  end(): BackupItem {
    return {
      kind: 'end',
      vclock: {},
      consistent: this.#isConsistent,
      counts: this.#counter.counts,
    };
  }

  *#rowsOf(shard: number, batch: TupleBatch): Generator<TupleBatch> {
    const { name } = batch.space;
    if (shard > 1 && !this.#sharded.has(name)) {
      batch.release?.();
      return;
    }
    const space = this.#spaces!.get(name);
    if (space === undefined) throw new Error(`shard ${shard} has another space ${quoted(name)}`);
    yield { ...batch, space };
  }
}

/**
 * An archive of a cluster as the backup of one database; see {@link Union}.
 *
 * @throws TntarError of kind `target` if the definitions of the shards differ
 */
export async function* unionOf(items: AsyncIterable<ClusterItem>): AsyncGenerator<BackupItem> {
  let union: Union | undefined;
  for await (const item of items) {
    if (item.kind === 'cluster') union = new Union(item.cluster);
    else if (item.kind === 'shard') yield* union!.take(item);
    else {
      yield* union!.begin();
      yield union!.end();
    }
  }
}

/**
 * One shard of an archive of a cluster, as the backup of one instance. All of the archive is read and verified.
 *
 * @param shard - its number, from 1
 * @throws TntarError of kind `usage` for a shard that the cluster does not have
 */
export async function* shardOf(
  items: AsyncIterable<ClusterItem>,
  shard: number,
): AsyncGenerator<BackupItem> {
  let end: BackupItem | undefined;
  for await (const item of items) {
    if (item.kind === 'cluster' && shard > item.cluster.shards.length) {
      throw new TntarError('usage', `the archive has no shard ${shard}`, {
        hint: `it has the shards 1 to ${item.cluster.shards.length}`,
      });
    }
    if (item.kind === 'end') yield end!;
    if (item.kind !== 'shard') continue;
    if (item.shard !== shard) {
      if (item.item.kind === 'tuples') item.item.release?.();
    } else if (item.item.kind === 'end') end = item.item;
    else yield item.item;
  }
}
