import { eachTuple } from '../backup/batch.js';
import { MAX_BUCKETS } from '../backup/cluster.js';
import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { readPages } from '../server/pages.js';
import { decode, type Value } from '../tuple/codec.js';

/** The space in which vshard notes the buckets of a shard. */
export const BUCKET_SPACE = '_bucket';

/**
 * The name of the index by which vshard finds the bucket of a row, unless its configuration has another `shard_index`.
 * Source: `vshard/cfg.lua`.
 */
const SHARD_INDEX = 'bucket_id';

/** The types of the first part of such an index. Source: `find_sharded_spaces()` of `vshard/storage/schema.lua`. */
const BUCKET_TYPES: readonly string[] = ['unsigned', 'integer', 'number'];

/** The state of a bucket on one shard. Source: `BUCKET` of `vshard/consts.lua`. */
const BUCKET_STATES = [
  'active',
  'pinned',
  'readonly',
  'sending',
  'sent',
  'receiving',
  'garbage',
] as const;

/** The state of a bucket on one shard. */
export type BucketState = (typeof BUCKET_STATES)[number];

/** A row of `_bucket`. */
export interface Bucket {
  state: BucketState;
  /** Goes up by one with each move since vshard 0.1.41; 0 before. */
  generation: number;
}

/** The buckets of one shard, by their numbers. */
export type Buckets = ReadonlyMap<number, Bucket>;

function fail(what: string): TntarError {
  return new TntarError('failure', `${BUCKET_SPACE} has ${what}`, {
    hint: 'the cluster has a vshard that this version of tntar does not know: please report this',
  });
}

function generationOf(options: Value | undefined): number {
  if (typeof options !== 'object' || options === null) return 0;
  return Number((options as { generation?: Value }).generation ?? 0);
}

/**
 * Adds the buckets of some rows of `_bucket` to `buckets`.
 *
 * @param bytes - whole tuples, raw
 * @throws TntarError of kind `failure` for rows that no vshard writes
 */
export function addBuckets(buckets: Map<number, Bucket>, bytes: Buffer): void {
  for (const tuple of eachTuple(bytes)) {
    const [id, state, , options] = decode(tuple) as Value[];
    const bucket = Number(id);
    if (!Number.isInteger(bucket) || bucket < 1 || bucket > MAX_BUCKETS) {
      throw fail(
        `the bucket ${quoted(String(id))}, which is not a number from 1 to ${MAX_BUCKETS}`,
      );
    }
    const known = BUCKET_STATES.find((each) => each === state);
    if (known === undefined) throw fail(`the state ${quoted(String(state))} of bucket ${bucket}`);
    buckets.set(bucket, { state: known, generation: generationOf(options) });
  }
}

/** Reads the buckets of a shard by select. */
export async function readBuckets(
  connection: Connection,
  { id, name, primaryKey }: Space,
): Promise<Buckets> {
  const buckets = new Map<number, Bucket>();
  if (primaryKey === undefined) throw fail('no primary index');
  for await (const rows of readPages(connection, { id, name, primaryKey })) {
    addBuckets(buckets, rows.bytes);
    rows.release();
  }
  return buckets;
}

/** A space whose rows are distributed by buckets, and the position of the bucket in them, from 0. */
export interface Sharded {
  space: Space;
  field: number;
}

/**
 * The spaces whose rows are distributed by buckets: those that have an index for it.
 *
 * @example
 * shardedSpaces(catalog).map(({ space }) => space.name); // ['orders']
 */
export function shardedSpaces(catalog: Catalog, shardIndex: string = SHARD_INDEX): Sharded[] {
  return catalog.spaces.flatMap((space) => {
    const index = catalog.indexesOf(space.id).find(({ name }) => name === shardIndex);
    const part = index?.parts[0];
    const isBucket = part?.path.length === 0 && BUCKET_TYPES.includes(part.type);
    return isBucket ? [{ space, field: part.fieldNo }] : [];
  });
}
