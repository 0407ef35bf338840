import type { TupleBatch } from '../backup/batch.js';
import type { ShardedSpace } from '../backup/cluster.js';
import { indexBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import type { Filter } from '../filters/filter.js';
import { headerSize, isUint, memberCount, readUint, skip } from '../tuple/msgpack.js';
import { addBuckets, BUCKET_SPACE, type Bucket, type Buckets, shardedSpaces } from './buckets.js';
import { RowSet } from './row-set.js';

/** A bucket that no row can have. */
const NO_BUCKET = -1;

/** Reads the bucket of a row; {@link NO_BUCKET} if the field is missing or is not a number from 1. */
function bucketOf(bytes: Buffer, start: number, end: number, field: number): number {
  if (memberCount(bytes, start) <= field) return NO_BUCKET;
  let pos = start + headerSize(bytes, start);
  for (let i = 0; i < field; i++) pos = skip(bytes, pos, end);
  return isUint(bytes[pos]!) ? readUint(bytes, pos) : NO_BUCKET;
}

/** The rows of a batch that are owned; undefined if there are none. */
function ownedIn(
  batch: TupleBatch,
  field: number,
  isOwned: (bucket: number) => boolean,
): TupleBatch | undefined {
  const { bytes } = batch;
  const runs: Buffer[] = [];
  let count = 0;
  let from = 0;
  for (let pos = 0; pos < bytes.length; ) {
    const end = skip(bytes, pos, bytes.length);
    if (isOwned(bucketOf(bytes, pos, end, field))) count++;
    else {
      if (pos > from) runs.push(bytes.subarray(from, pos));
      from = end;
    }
    pos = end;
  }
  if (count === batch.count) return batch;
  if (bytes.length > from) runs.push(bytes.subarray(from));
  const owned = Buffer.concat(runs);
  batch.release?.();
  // the largest row may be one of those that are gone
  const { largest: _, release: __, ...rest } = batch;
  return count === 0 ? undefined : { ...rest, count, bytes: owned };
}

/** The error of a schema that is not what it was a moment ago. */
function changed(space: string): TntarError {
  const message = `space ${quoted(space)} was created or changed while the dump began`;
  return new TntarError('failure', message, {
    hint: 'dump again when the schema is the same on all shards',
  });
}

/** What the read view of one shard had. */
interface ShardView {
  /** Its buckets; undefined if it has no vshard. */
  buckets: Buckets | undefined;
  /** Rows of spaces that are not sharded, by name. */
  others: ReadonlyMap<string, RowSet>;
  /** The number of rows that were left out, because another shard has their bucket. */
  leftOut: number;
  /** The number of rows whose bucket is none of the cluster. They are kept. */
  homeless: ReadonlyMap<string, number>;
}

/**
 * Keeps the rows of the buckets that one shard owns, of the spaces that are sharded, and all rows of the others.
 *
 * @param shard - the number of the shard, from 1
 * @param owners - the number of the shard by bucket
 * @param expected - the sharded spaces of the cluster
 */
export class OwnedRows implements Filter, ShardView {
  readonly #shard: number;
  readonly #owners: Uint16Array;
  readonly #expected: readonly ShardedSpace[];
  /** The position of the bucket by the id of the space. */
  #fields: ReadonlyMap<number, number> = new Map();
  #buckets: Map<number, Bucket> | undefined;
  readonly others = new Map<string, RowSet>();
  readonly homeless = new Map<string, number>();
  leftOut = 0;

  constructor(shard: number, owners: Uint16Array, expected: readonly ShardedSpace[]) {
    this.#shard = shard;
    this.#owners = owners;
    this.#expected = expected;
  }

  get buckets(): Buckets | undefined {
    return this.#buckets;
  }

  readonly head: Filter['head'] = (head) => {
    const spaces = indexBy(head.catalog.spaces, ({ name }) => name);
    if (spaces.has(BUCKET_SPACE)) {
      this.#buckets = new Map();
      const sharded = shardedSpaces(head.catalog);
      const known = new Map(this.#expected.map(({ name, field }) => [name, field]));
      const other = sharded.find(({ space, field }) => known.get(space.name) !== field);
      if (other !== undefined) throw changed(other.space.name);
      this.#fields = new Map(sharded.map(({ space, field }) => [space.id, field]));
    }
    return { head };
  };

  *rows(batch: TupleBatch): Generator<TupleBatch> {
    const { id, name } = batch.space;
    const field = this.#fields.get(id);
    if (field === undefined) {
      if (name === BUCKET_SPACE && this.#buckets !== undefined) {
        addBuckets(this.#buckets, batch.bytes);
      }
      // without vshard nothing has to be the same elsewhere
      if (this.#buckets !== undefined) this.#setOf(name).add(batch.bytes);
      yield batch;
      return;
    }
    const before = batch.count;
    const owned = ownedIn(batch, field, (bucket) => this.#isOwned(bucket, name));
    this.leftOut += before - (owned?.count ?? 0);
    if (owned !== undefined) yield owned;
  }

  #setOf(name: string): RowSet {
    const known = this.others.get(name);
    if (known !== undefined) return known;
    const rows = new RowSet();
    this.others.set(name, rows);
    return rows;
  }

  #isOwned(bucket: number, space: string): boolean {
    const owner = this.#owners[bucket] ?? 0;
    if (bucket !== NO_BUCKET && owner > 0) return owner === this.#shard;
    // nobody else would keep it
    this.homeless.set(space, (this.homeless.get(space) ?? 0) + 1);
    return true;
  }
}
