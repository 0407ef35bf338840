import {
  type BucketRange,
  type Cluster,
  type ClusterEnd,
  type ClusterShard,
  MAX_BUCKETS,
  MAX_SHARDS,
  type ShardedSpace,
} from '../backup/cluster.js';
import { defined } from '../base/defined.js';
import { TntarError } from '../base/errors.js';
import { CLUSTER, TRAILER } from './entries.js';
import { JsonReader, readable } from './json.js';
import { CLUSTER_VERSION, checkFormat, FORMAT_NAME, ISO_DATE } from './manifest-json.js';
import { type EntryRecord, entriesOf, hashEntries, totals } from './trailer.js';

const HEAD = { format: FORMAT_NAME, version: CLUSTER_VERSION };

/** The last entry of an archive of a cluster: without it, the rest is no backup. */
export interface ClusterTrailer extends ClusterEnd {
  /** All entries in front of this one, in their order. */
  entries: EntryRecord[];
}

function wrong(what: string): TntarError {
  return new TntarError('archive', `${CLUSTER} ${what}`, {
    hint: 'the archive was not made by tntar, or was changed since',
  });
}

/** @throws TntarError of kind `failure` for one that {@link decodeCluster} would refuse */
export function encodeCluster(cluster: Cluster): Buffer {
  const { owners, ...rest } = cluster;
  const ranges = owners.map(({ first, last, shard }) => [first, last, shard]);
  const text = `${JSON.stringify({ ...HEAD, ...rest, owners: ranges })}\n`;
  return readable(CLUSTER, Buffer.from(text), decodeCluster);
}

function shardOf(json: JsonReader): ClusterShard {
  return {
    replicaset: json.string('replicaset'),
    ...(json.has('title') ? { title: json.string('title') } : {}),
    instance: json.string('instance'),
    role: json.oneOf('role', ['master', 'replica']),
    openedAfter: json.count('openedAfter'),
    ...(json.has('buckets') ? { buckets: json.count('buckets') } : {}),
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value);

/** Reads the ranges, which ascend and do not overlap. */
function rangesIn(values: readonly unknown[], bucketCount: number, shards: number): BucketRange[] {
  let next = 1;
  return values.map((value) => {
    const [first, last, shard] = Array.isArray(value) && value.every(isCount) ? value : [];
    if (first === undefined || last === undefined || shard === undefined) {
      throw wrong('has no list of owners');
    }
    if (first < next || last < first || last > bucketCount || shard < 1 || shard > shards) {
      throw wrong(`gives buckets ${first} to ${last} to shard ${shard}`);
    }
    next = last + 1;
    return { first, last, shard };
  });
}

function shardedSpace(json: JsonReader): ShardedSpace {
  return { name: json.string('name'), field: json.count('field') };
}

/** @throws TntarError of kind `archive` */
export function decodeCluster(bytes: Buffer): Cluster {
  const json = JsonReader.parse(bytes, CLUSTER);
  checkFormat(json, CLUSTER_VERSION);
  const shards = json.objects('shards').map(shardOf);
  if (shards.length < 1 || shards.length > MAX_SHARDS) throw wrong(`has ${shards.length} shards`);
  const bucketCount = json.has('bucketCount') ? json.count('bucketCount') : undefined;
  if (bucketCount !== undefined && bucketCount > MAX_BUCKETS) {
    throw wrong(`has ${bucketCount} buckets, over the limit of ${MAX_BUCKETS}`);
  }
  return {
    tool: json.string('tool'),
    created: json.matching('created', ISO_DATE, 'a date in UTC'),
    shards,
    ...defined({ bucketCount }),
    owners: rangesIn(json.array('owners'), bucketCount ?? 0, shards.length),
    sharded: json.objects('sharded').map(shardedSpace),
    refs: json.boolean('refs'),
    skew: json.count('skew'),
  };
}

/** @throws TntarError of kind `failure` for one that {@link decodeClusterTrailer} would refuse */
export function encodeClusterTrailer({ entries, ...end }: ClusterTrailer): Buffer {
  const document = { ...HEAD, ...end, ...totals(entries), sha256: hashEntries(entries), entries };
  const text = `${JSON.stringify(document)}\n`;
  return readable(TRAILER, Buffer.from(text), decodeClusterTrailer);
}

/** @throws TntarError of kind `archive` also if the sums do not add up */
export function decodeClusterTrailer(bytes: Buffer): ClusterTrailer {
  const json = JsonReader.parse(bytes, TRAILER);
  checkFormat(json, CLUSTER_VERSION);
  return {
    entries: entriesOf(json),
    equal: json.strings('equal'),
    different: json.strings('different'),
  };
}
