import type { Vclock } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { BallotKey, Key, RequestType } from '../iproto/constants.js';
import { bodyDecoded } from '../iproto/packets.js';
import { bare, evaluate } from '../iproto/requests.js';

/** What every instance tells everybody about itself. */
export interface InstanceStatus {
  vclock: Vclock;
  /** True on a replica, with `read_only`, and before the instance is ready. */
  isReadOnly: boolean;
  /** Counts changes of the schema. */
  schemaVersion: number;
}

/** A decoded vclock, which has replica ids as keys. */
export function toVclock(decoded: unknown): Vclock {
  const entries = Object.entries((decoded ?? {}) as Record<string, number | bigint>);
  return Object.fromEntries(entries.map(([replica, lsn]) => [replica, Number(lsn)]));
}

/** Asks with VOTE, which needs no privilege. */
export async function readStatus(connection: Connection): Promise<InstanceStatus> {
  const reply = await connection.request(bare(RequestType.VOTE), 'ask for the vclock');
  // A ballot comes without the schema's version.
  const pong = await connection.request(bare(RequestType.PING), 'ping');
  const ballot = (bodyDecoded(reply, Key.BALLOT) ?? {}) as Record<string, unknown>;
  return {
    schemaVersion: pong.schemaVersion,
    vclock: toVclock(ballot[BallotKey.VCLOCK]),
    isReadOnly: ballot[BallotKey.IS_READ_ONLY] === true || ballot[BallotKey.IS_LOADING] === true,
  };
}

/** True where nothing was written between the two, spaces that are local to the instance included. */
export function sameVclock(a: Vclock, b: Vclock): boolean {
  const replicas = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...replicas].every((replica) => (a[replica] ?? 0) === (b[replica] ?? 0));
}

const LOCAL_LSN = 'return box.info.vclock[0] or 0';

/**
 * Counts writes to spaces that are local to the instance, which the vclock of a ballot leaves out.
 *
 * @returns NaN, which equals nothing, where the user may not ask
 */
export async function readLocalLsn(connection: Connection): Promise<number> {
  try {
    const reply = await connection.request(evaluate(LOCAL_LSN), 'ask for local writes');
    return Number((bodyDecoded(reply, Key.DATA) as unknown[])[0]);
  } catch (error) {
    if (error instanceof TntarError && error.kind === 'access') return Number.NaN;
    throw error;
  }
}
