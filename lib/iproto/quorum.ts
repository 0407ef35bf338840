import { TntarError } from '../base/errors.js';
import { QUORUM_HINT } from './hints.js';
import type { ConnectionOptions } from './options.js';
import type { Packet } from './packets.js';
import { evaluate, type Request } from './requests.js';
import { Returned } from './returned.js';

/** Synchronous transactions that wait until a quorum of the replica set has confirmed them. */
export interface SyncQueue {
  /**
   * How many transactions wait, those that came after a synchronous one included; undefined if the server
   * does not tell, as before 2.7.3, and has synchronous spaces.
   */
  length: number | undefined;
  /** The number of instances that must confirm them. */
  quorum: number;
}

/** Source: `lbox_info_synchro()` of the server's `src/box/lua/info.c`. */
const QUEUE = `
  local synchro = box.info.synchro
  if synchro ~= nil then return synchro.queue.len, synchro.quorum end
  local quorum = tonumber(box.cfg.replication_synchro_quorum) or 0
  for _, space in pairs(box.space) do
    if space.is_sync then return nil, quorum end
  end
  return 0, quorum`;

/** The part of a connection that a question takes. */
interface Asked {
  /** The name of the server in messages, e.g. `db1:3301`. */
  where: string;
  /** The time without a byte, in milliseconds. */
  idleTimeout: number;
  request(request: Request, doing: string): Promise<Packet>;
  close(): void;
}

/** @returns undefined if the user may not ask */
export async function askQueue(connection: Pick<Asked, 'request'>): Promise<SyncQueue | undefined> {
  try {
    const reply = await connection.request(evaluate(QUEUE), 'ask for the synchronous queue');
    const returned = Returned.by(reply);
    const length = returned.has(0) ? returned.number(0) : undefined;
    return { length, quorum: returned.number(1) };
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}

/** The time in which a server that waits for replicas has to answer another connection. */
const ASK_MS = 3000;

/**
 * Finds out whether a server is silent because it waits for its replicas.
 *
 * @param open - opens another connection to it, with these timeouts and as the same user
 * @param silent - the connection from which nothing comes
 * @returns the error to end `silent` with; undefined if the reason is another one, or cannot be found
 */
export async function explainSilence(
  open: (
    options: Pick<ConnectionOptions, 'connectTimeout' | 'idleTimeout' | 'signal'>,
  ) => Promise<Pick<Asked, 'request' | 'close'>>,
  { where, idleTimeout }: Pick<Asked, 'where' | 'idleTimeout'>,
  signal: AbortSignal,
): Promise<TntarError | undefined> {
  const timeout = Math.min(idleTimeout, ASK_MS);
  let other: Pick<Asked, 'request' | 'close'> | undefined;
  const close = (): void => other?.close();
  signal.addEventListener('abort', close);
  try {
    other = await open({ connectTimeout: timeout, idleTimeout: timeout, signal });
    return quorumError(where, await askQueue(other), `${idleTimeout / 1000} s`);
  } catch {
    return undefined; // it is silent to others, too
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

/** @param queue - undefined if the user may not ask for it */
function quorumError(
  where: string,
  queue: SyncQueue | undefined,
  silence: string,
): TntarError | undefined {
  const { length, quorum } = queue ?? {};
  if (length === 0) return undefined;
  const many = length === 1 ? '1 synchronous transaction is' : `${length} transactions are`;
  const alive = `${where} answers other connections, but not this one for ${silence}`;
  const message =
    queue === undefined
      ? `${alive}: it may wait for a quorum to confirm synchronous transactions, or for its disk`
      : length === undefined
        ? `${alive}: it may wait for a quorum of ${quorum} to confirm synchronous transactions`
        : `${where} waits for a quorum of ${quorum}: ${many} not confirmed after ${silence}`;
  return new TntarError('failure', message, { hint: QUORUM_HINT });
}
