import { setTimeout as sleep } from 'node:timers/promises';
import { TntarError } from '../base/errors.js';
import { counted, longListOf, type Report } from '../base/report.js';
import type { ItemReadable } from '../flow/item-readable.js';
import type { Connection } from '../iproto/connection.js';
import type { Space } from '../schema/catalog/catalog.js';
import { snapshotSource } from '../sources/snapshot.js';
import { type Buckets, readBuckets } from './buckets.js';
import { decideOwners, type Ownership, type Sightings } from './owners.js';
import { StorageRefs } from './refs.js';

/** A shard that is about to be read. */
export interface Member {
  /** A connection to the instance that is read, for questions beside the read view. */
  guard: Connection;
  /** Its space of buckets; undefined for a replica set without vshard. */
  bucketSpace: Space | undefined;
}

/** The read views of all shards, opened together. */
export interface Cut {
  /** The backup of each shard, from shard 1 on. */
  views: ItemReadable[];
  /** Milliseconds from the first request until the view of each shard was open. */
  openedAfter: number[];
  owners: Uint16Array;
  /** True if no bucket moved while the views were opened. */
  refs: boolean;
  /** Closes the views, read to their ends or not. */
  close(): void;
}

/** Options of {@link openCut}. */
export interface CutOptions {
  /** Connections to the masters of all shards with vshard, if they are known. */
  masters?: readonly Connection[];
  /** The number of buckets; undefined if nobody knows. */
  bucketCount?: number | undefined;
  wants: (space: string) => boolean;
  report: Report;
  signal?: AbortSignal | undefined;
}

/** The read views are opened again for so long, while buckets move. A try takes some milliseconds. */
const PATIENCE_MS = 30_000;
/** So many tries in a row tell that a bucket has no owner, or two: a move is over by then. */
const TELLING_TRIES = 20;
/** The longest pause between two tries. It varies, because moves may have a rhythm of their own. */
const MAX_PAUSE_MS = 50;
/** Storage refs are a help and no condition: shards that send buckets to each other give none. */
const REF_SECONDS = 1;

const NO_BUCKETS: Buckets = new Map();

/** The views of one try. */
interface Try extends Omit<Cut, 'owners' | 'refs'> {
  ownership: Ownership;
}

function bucketsOf({ guard, bucketSpace }: Member): Promise<Buckets> {
  return bucketSpace === undefined ? Promise.resolve(NO_BUCKETS) : readBuckets(guard, bucketSpace);
}

/** The read view of one shard, and what the shard said of its buckets right before and after. */
interface Opened extends Sightings {
  view: ItemReadable;
  openedAt: number;
}

/** Opens the read view of one shard. */
async function openView(
  member: Member,
  connection: Connection,
  wants: CutOptions['wants'],
): Promise<Opened> {
  const before = await bucketsOf(member);
  let view: ItemReadable | undefined;
  const openedAt = await new Promise<number>((resolve, reject) => {
    view = snapshotSource(connection, {
      wants,
      forceSnapshot: true,
      onOpen: () => resolve(performance.now()),
    });
    // what comes later is for the reader, which gets it of the stream
    view.once('error', reject);
    view.read(0);
  });
  return { view: view!, openedAt, before, after: await bucketsOf(member) };
}

/** Opens a connection for each view. */
async function openAll(members: readonly Member[]): Promise<Connection[]> {
  const opened = await Promise.allSettled(members.map(({ guard }) => guard.another()));
  const connections = opened.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const failed = opened.find((each) => each.status === 'rejected');
  if (failed === undefined) return connections;
  for (const connection of connections) connection.close();
  throw failed.reason;
}

/** Opens all views once, whatever comes of it. */
async function tryOnce(
  members: readonly Member[],
  { bucketCount, wants }: CutOptions,
): Promise<Try> {
  const connections = await openAll(members);
  try {
    const started = performance.now();
    const opened = await Promise.all(
      members.map((member, i) => openView(member, connections[i]!, wants)),
    );
    const views = opened.map(({ view }) => view);
    return {
      views,
      openedAfter: opened.map(({ openedAt }) => Math.round(openedAt - started)),
      ownership: decideOwners(opened, bucketCount),
      close: () => {
        for (const view of views) {
          view.on('error', () => {});
          view.destroy();
        }
        for (const connection of connections) connection.close();
      },
    };
  } catch (error) {
    for (const connection of connections) connection.close();
    throw error;
  }
}

/** The error of a cluster whose buckets cannot be told apart, however often one looks. */
function unowned({ none, twice, unsure }: Ownership): TntarError {
  const list = (buckets: readonly number[]): string => longListOf(buckets.map(String));
  if (twice.length > 0) {
    return new TntarError('failure', `buckets are active on two shards: ${list(twice)}`, {
      hint: 'the cluster is damaged: find out which shard has the right rows of these buckets, and delete the others there (vshard.storage.bucket_force_drop)',
    });
  }
  if (none.length > 0) {
    return new TntarError('failure', `no shard has the buckets ${list(none)}`, {
      hint: 'name all shards of the cluster; if they are named, these buckets are lost',
    });
  }
  return new TntarError('failure', `buckets move all the time: ${list(unsure)}`, {
    hint: 'dump again when the rebalancer is done',
  });
}

const isClear = ({ none, twice, unsure }: Ownership): boolean =>
  none.length + twice.length + unsure.length === 0;

/** Finds buckets that have no owner, or two, in one try after the other. */
class StuckBuckets {
  #before: ReadonlySet<number> | undefined;
  #tries = 0;

  /** @returns true once the same bucket was seen in {@link TELLING_TRIES} tries in a row */
  see({ none, twice }: Ownership): boolean {
    const before = this.#before;
    const now = [...none, ...twice].filter((bucket) => before?.has(bucket) ?? true);
    this.#tries = now.length === 0 ? 0 : this.#tries + 1;
    this.#before = now.length === 0 ? undefined : new Set(now);
    return this.#tries >= TELLING_TRIES;
  }
}

/**
 * Opens the read views of all shards so close to each other that each bucket has one owner: a shard whose view has all
 * of its rows. Where buckets move, views are opened again until that is so.
 *
 * @throws TntarError of kind `failure` for buckets that have no owner, or two, however often one looks
 * @example
 * const { views, owners } = await openCut(members, { wants: () => true, report });
 */
export async function openCut(members: readonly Member[], options: CutOptions): Promise<Cut> {
  const { masters = [], bucketCount, report, signal } = options;
  const started = performance.now();
  const stuck = new StuckBuckets();
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    // Refs starve where shards send buckets to each other, so they are not waited for again and again.
    const refs =
      masters.length > 0 && tries === 1
        ? await StorageRefs.take(masters, bucketCount, REF_SECONDS)
        : undefined;
    const opened = await tryOnce(members, options).finally(() => refs?.release());
    const { ownership, ...cut } = opened;
    if (isClear(ownership)) {
      if (tries > 1) {
        report.note(`buckets moved: the read views were opened ${counted(tries, 'time')}`);
      }
      return { ...cut, owners: ownership.owners, refs: refs !== undefined };
    }
    opened.close();
    const isLate = performance.now() - started > PATIENCE_MS;
    if (stuck.see(ownership) || isLate) throw unowned(ownership);
    await sleep(Math.random() * MAX_PAUSE_MS, undefined, { signal });
  }
}
