import type { Unconfirmed } from '../backup/item.js';
import { afterAwake } from '../base/awake.js';
import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode } from '../iproto/constants.js';
import { askQueue } from '../iproto/quorum.js';
import { readView } from '../iproto/snapshot-reader.js';
import type { Catalog } from '../schema/catalog/catalog.js';
import { greatHangRisk } from './hang-risk.js';

/** The time after which a silent read view waits for a quorum: by itself it does not take so long. */
const PROBE_MS = 2000;

/** The errors of a read view that has waited in vain. */
const UNCONFIRMED: readonly (number | undefined)[] = [
  ErrorCode.SYNC_QUORUM_TIMEOUT,
  ErrorCode.SYNC_ROLLBACK,
];

/**
 * Tells by the first packet of a read view, which comes when all synchronous transactions are confirmed. The rest
 * of it is not waited for.
 */
async function probe(connection: Connection): Promise<Unconfirmed | undefined> {
  if ((await greatHangRisk(connection)) !== undefined) return 'unknown';
  const other = await connection.another();
  let isLate = false;
  const cancel = afterAwake(PROBE_MS, () => {
    isLate = true;
    other.close();
  });
  try {
    await readView(other).next();
    return undefined;
  } catch (error) {
    if (!(error instanceof TntarError)) throw error;
    return isLate || UNCONFIRMED.includes(error.serverCode) ? 'waiting' : 'unknown';
  } finally {
    cancel();
    other.close();
  }
}

/**
 * Asks whether synchronous transactions wait for their quorum at this moment. A select reads what they wrote, and
 * what any transaction wrote after them, although all of it may be rolled back.
 *
 * Ask before the first row is read, and after the last one but before the vclock at the end: a transaction that
 * leaves the queue meanwhile moves the vclock, be it confirmed or rolled back.
 *
 * @param catalog - tells whether there are synchronous spaces, for users and versions that do not tell of the queue
 * @returns undefined if none waits
 */
export async function findUnconfirmed(
  connection: Connection,
  catalog: Catalog,
): Promise<Unconfirmed | undefined> {
  const queue = await askQueue(connection);
  if (queue?.length !== undefined) return queue.length > 0 ? 'waiting' : undefined;
  return catalog.spaces.some(({ isSync }) => isSync) ? probe(connection) : undefined;
}
