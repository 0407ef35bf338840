import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** The uuid of the replica set, which 2.x calls a cluster. On 3.x, a cluster is something else. */
const REPLICA_SET = 'return (box.info.replicaset or box.info.cluster).uuid';

/** @returns undefined if the user may not ask */
async function replicaSetOf(connection: Connection): Promise<string | undefined> {
  try {
    const reply = await connection.request(evaluate(REPLICA_SET), 'ask for the replica set');
    return Returned.by(reply).text(0);
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}

/**
 * Returns true if writes to one connection change what the other reads: both lead to the same instance, or to two
 * instances of one replica set, as far as the users may know.
 */
export async function isSameDatabase(a: Connection, b: Connection): Promise<boolean> {
  if (a.greeting.uuid !== '' && a.greeting.uuid === b.greeting.uuid) return true;
  const replicaSet = await replicaSetOf(a);
  return replicaSet !== undefined && replicaSet === (await replicaSetOf(b));
}
