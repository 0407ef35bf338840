import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** 3.x calls a replica set what it was, and has another name for clusters of them. */
const REPLICA_SET = 'return (box.info.replicaset or box.info.cluster).uuid';

/** @returns undefined where the user may not ask */
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
 * Whether what is written at the one end changes what is read at the other: they lead to one instance, or to two
 * of one replica set, as far as the users may know.
 */
export async function isSameDatabase(a: Connection, b: Connection): Promise<boolean> {
  if (a.greeting.uuid !== '' && a.greeting.uuid === b.greeting.uuid) return true;
  const replicaSet = await replicaSetOf(a);
  return replicaSet !== undefined && replicaSet === (await replicaSetOf(b));
}
