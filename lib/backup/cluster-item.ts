import type { Cluster, ClusterEnd } from './cluster.js';
import type { BackupItem } from './item.js';

/** An item of the backup of one shard. */
export interface ShardItem {
  kind: 'shard';
  /** The number of the shard, from 1. */
  shard: number;
  item: BackupItem;
}

/**
 * What flows from a source of a cluster to its sink: the cluster, then the definitions of all shards, one shard after
 * the other, then the rows of all of them, as they come, and one end.
 */
export type ClusterItem =
  | { kind: 'cluster'; cluster: Cluster }
  | ShardItem
  | ({ kind: 'end' } & ClusterEnd);
