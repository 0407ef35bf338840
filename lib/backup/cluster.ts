import { TntarError } from '../base/errors.js';

/** One shard of a cluster, or another replica set that was dumped with it. */
export interface ClusterShard {
  /** The uuid of the replica set. */
  replicaset: string;
  /** The name of the replica set in the configuration of the cluster, if it has one. */
  title?: string;
  /** The uuid of the instance that was read. */
  instance: string;
  /** The role of this instance. */
  role: 'master' | 'replica';
  /** Milliseconds from the first request for a read view until this one was open. */
  openedAfter: number;
  /** The number of buckets whose rows are taken from this shard; absent without vshard. */
  buckets?: number;
}

/** The buckets from `first` to `last`, whose rows are taken from one shard. */
export interface BucketRange {
  first: number;
  last: number;
  /** From 1. */
  shard: number;
}

/** A space whose rows are distributed over the shards by their buckets. */
export interface ShardedSpace {
  name: string;
  /** The position of the field with the bucket, from 0. */
  field: number;
}

/** The first entry of an archive of a cluster. */
export interface Cluster {
  /** The program that wrote the archive, e.g. `tntar 0.1.0`. */
  tool: string;
  /** ISO 8601, UTC. */
  created: string;
  /** Shard 1 is the first. */
  shards: ClusterShard[];
  /** The number of buckets; absent if the cluster has no vshard. */
  bucketCount?: number;
  /** The owner of each bucket, ascending. */
  owners: BucketRange[];
  sharded: ShardedSpace[];
  /** True if storage refs kept all buckets in their places while the read views were opened. */
  refs: boolean;
  /** Milliseconds between the first and the last read view. */
  skew: number;
}

/** The last facts about a cluster, which are known after all rows. */
export interface ClusterEnd {
  /** Spaces that are not sharded, and have the same rows on all shards. */
  equal: string[];
  /** Spaces that are not sharded, and have other rows on another shard. */
  different: string[];
}

/** The largest number of shards: each takes memory for a part in a writer. */
export const MAX_SHARDS = 1000;

/** The number of buckets at most; a table of their owners has to be in memory. */
export const MAX_BUCKETS = 1_000_000;

/**
 * The error of a cluster in the place of one instance.
 *
 * @param doing - what needs one instance, e.g. `restore`
 */
export function needsOneShard({ shards }: Cluster, doing: string): TntarError {
  const message = `the archive is of a cluster of ${shards.length} shards, and ${doing} takes one instance`;
  return new TntarError('usage', message, { hint: 'choose one of the shards, e.g. --shard 1' });
}

/**
 * The owners of buckets, by the number of the bucket.
 *
 * @returns the number of the shard for each bucket; 0 for a bucket without a shard, and at index 0
 * @example
 * ownersOf([{ first: 1, last: 2, shard: 1 }, { first: 3, last: 3, shard: 2 }], 3); // [0, 1, 1, 2]
 */
export function ownersOf(ranges: readonly BucketRange[], bucketCount: number): Uint16Array {
  const owners = new Uint16Array(bucketCount + 1);
  for (const { first, last, shard } of ranges) owners.fill(shard, first, last + 1);
  return owners;
}

/**
 * The same as ranges.
 *
 * @param owners - the number of the shard of each bucket, from bucket 1 on; what is at 0 does not count
 */
export function rangesOf(owners: Uint16Array): BucketRange[] {
  const ranges: BucketRange[] = [];
  for (let bucket = 1; bucket < owners.length; bucket++) {
    const shard = owners[bucket]!;
    const last = ranges.at(-1);
    if (last?.shard === shard && last.last === bucket - 1) last.last = bucket;
    else if (shard > 0) ranges.push({ first: bucket, last: bucket, shard });
  }
  return ranges;
}
