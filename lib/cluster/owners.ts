import type { Bucket, BucketState, Buckets } from './buckets.js';

/**
 * How far a shard may speak for a bucket in some state. Nobody writes to a bucket from `readonly` on, and its rows stay
 * with the sender until `garbage`; those of the receiver are whole when it is `active`.
 *
 * Source: the order of a move in `vshard/storage/init.lua` (`bucket_send`, `bucket_recv`, garbage collection).
 */
const RANK: Readonly<Record<BucketState, number>> = {
  active: 3,
  pinned: 3,
  readonly: 2,
  sending: 1,
  sent: 1,
  receiving: 0,
  garbage: 0,
};

const OWNS = 2;

/** What the shards say of one bucket, taken together. */
type Claim = Bucket & { shard: number };

/** Tells whether a claim is better than another one. */
function isBetter(a: Claim, b: Claim): boolean {
  const [mine, other] = [RANK[a.state], RANK[b.state]];
  if (mine >= OWNS !== other >= OWNS) return mine >= OWNS;
  if (a.generation !== b.generation) return a.generation > b.generation;
  return mine > other;
}

/** The verdict on one bucket: the shard that has it, `none` or `twice`. */
export type Verdict = number | 'none' | 'twice';

/**
 * Decides which shard has a bucket: the one where it is active or pinned, of several the one of the highest generation;
 * else the one where it is read-only; else the one that sends it.
 *
 * @param claims - by shard, from shard 1 on; undefined for a shard that does not have the bucket
 */
export function ownerOf(claims: readonly (Bucket | undefined)[]): Verdict {
  let best: Claim | undefined;
  let isTwice = false;
  for (const [i, bucket] of claims.entries()) {
    if (bucket === undefined || RANK[bucket.state] === 0) continue;
    const claim = { ...bucket, shard: i + 1 };
    const areActive = RANK[claim.state] === 3 && best !== undefined && RANK[best.state] === 3;
    const isEqual = areActive && claim.generation === best?.generation;
    if (best === undefined || isBetter(claim, best)) [best, isTwice] = [claim, false];
    else if (isEqual) isTwice = true;
  }
  if (best === undefined) return 'none';
  return isTwice ? 'twice' : best.shard;
}

/** The owners of all buckets, and the buckets that have none, or two. */
export interface Ownership {
  /** The number of the shard by bucket, from 1; 0 if nobody can tell. */
  owners: Uint16Array;
  none: number[];
  twice: number[];
  /** Buckets that changed while they were looked at, so that nobody can tell. */
  unsure: number[];
}

/** What a shard said of its buckets right before its read view was opened, and right after. */
export interface Sightings {
  before: Buckets;
  after: Buckets;
}

const isSame = (a: Bucket | undefined, b: Bucket | undefined): boolean =>
  a?.state === b?.state && a?.generation === b?.generation;

/** All that the shards may have had of one bucket while their read views were opened. */
function* possibleClaims(
  bucket: number,
  shards: readonly Sightings[],
): Generator<(Bucket | undefined)[]> {
  const seen = shards.map(({ before, after }) => {
    const [first, second] = [before.get(bucket), after.get(bucket)];
    return isSame(first, second) ? [first] : [first, second];
  });
  const count = seen.reduce((product, each) => product * each.length, 1);
  for (let n = 0; n < count; n++) {
    let rest = n;
    yield seen.map((each) => {
      const claim = each[rest % each.length];
      rest = Math.floor(rest / each.length);
      return claim;
    });
  }
}

/** Shards that may change one bucket while views are opened: a move has two. */
const MAX_CHANGED = 8;

function verdictOn(bucket: number, shards: readonly Sightings[]): Verdict | 'unsure' {
  const changed = shards.filter(
    ({ before, after }) => !isSame(before.get(bucket), after.get(bucket)),
  );
  if (changed.length > MAX_CHANGED) return 'unsure';
  const verdicts = new Set<Verdict>();
  for (const claims of possibleClaims(bucket, shards)) verdicts.add(ownerOf(claims));
  const [only] = verdicts;
  return verdicts.size === 1 && only !== undefined ? only : 'unsure';
}

/**
 * Decides which shard has which bucket.
 *
 * @param shards - what each of them said, from shard 1 on
 * @param bucketCount - of the cluster; by default the highest bucket that was seen
 */
export function decideOwners(shards: readonly Sightings[], bucketCount?: number): Ownership {
  const seen = new Set<number>();
  for (const { before, after } of shards) {
    for (const bucket of before.keys()) seen.add(bucket);
    for (const bucket of after.keys()) seen.add(bucket);
  }
  const highest = [...seen].reduce((most, bucket) => Math.max(most, bucket), 0);
  const count = Math.max(highest, bucketCount ?? 0);
  const ownership: Ownership = {
    owners: new Uint16Array(count + 1),
    none: [],
    twice: [],
    unsure: [],
  };
  for (let bucket = 1; bucket <= count; bucket++) {
    const verdict = seen.has(bucket) ? verdictOn(bucket, shards) : 'none';
    if (typeof verdict === 'number') ownership.owners[bucket] = verdict;
    else ownership[verdict].push(bucket);
  }
  return ownership;
}
