import { randomInt } from 'node:crypto';
import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { call } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** The function by which the instances of a cluster call each other. Source: `vshard/storage/init.lua`. */
const CALL = 'vshard.storage._call';

/** Identifiers of refs are numbers that Lua has exactly. */
const MAX_REF_ID = 2 ** 48 - 1;

const DOING = 'ask for a storage ref';

/** Takes a ref on one master. Returns its number of buckets; undefined if it gives none. */
async function takeRef(
  master: Connection,
  id: number,
  seconds: number,
): Promise<number | undefined> {
  const reply = await master.request(call(CALL, ['storage_ref', id, seconds]), DOING);
  const returned = Returned.by(reply);
  return returned.has(0) ? returned.count(0) : undefined;
}

/** Tells whether an instance is the master of its shard: a ref on a replica succeeds, and holds nothing. */
async function isMaster(connection: Connection): Promise<boolean> {
  const reply = await connection.request(call(CALL, ['info']), DOING);
  return Returned.by(reply).table(0)['is_master'] === true;
}

/**
 * Storage refs on all masters of a cluster: while they are held, no bucket moves. They end with their connections.
 *
 * Source: `router_map_callrw()` of `vshard/router/init.lua`, and `vshard/storage/ref.lua`.
 *
 * @example
 * const refs = await StorageRefs.take(masters, 300, 600);
 * await refs?.release();
 */
export class StorageRefs {
  readonly #masters: readonly Connection[];
  readonly #id: number;

  private constructor(masters: readonly Connection[], id: number) {
    this.#masters = masters;
    this.#id = id;
  }

  /**
   * Takes a ref on each master, all of them or none.
   *
   * @param masters - connections that stay open as long as the refs are wanted
   * @param bucketCount - what the masters have to have together; undefined if nobody knows
   * @param seconds - to wait for buckets that move; also the longest time for which the refs are held
   * @returns undefined if a master gave none, or buckets are missing
   * @throws TntarError where a connection is lost
   */
  static async take(
    masters: readonly Connection[],
    bucketCount: number | undefined,
    seconds: number,
  ): Promise<StorageRefs | undefined> {
    const refs = new StorageRefs(masters, randomInt(1, MAX_REF_ID));
    try {
      if (!(await Promise.all(masters.map(isMaster))).every(Boolean)) return undefined;
      const counts = await Promise.all(masters.map((each) => takeRef(each, refs.#id, seconds)));
      const isWhole = counts.every((count) => count !== undefined);
      const sum = counts.reduce<number>((total, count) => total + (count ?? 0), 0);
      if (isWhole && (bucketCount === undefined || sum === bucketCount)) return refs;
    } catch (error) {
      // a user without the right, or a vshard without refs
      if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
    }
    await refs.release();
    return undefined;
  }

  /** Lets buckets move again. */
  async release(): Promise<void> {
    const request = call(CALL, ['storage_unref', this.#id]);
    await Promise.all(
      this.#masters.map((each) => each.request(request, DOING).catch(() => undefined)),
    );
  }
}
