import type { Vclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { bodyDecoded } from '../iproto/bodies.js';
import type { Connection } from '../iproto/connection.js';
import { BallotKey, ErrorCode, Key, RequestType } from '../iproto/constants.js';
import { bare, evaluate, remove } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';
import { toVclock } from '../iproto/vclock.js';
import { SystemSpace } from '../schema/server/system-spaces.js';
import { joinFields } from '../tuple/fields.js';

const NO_KEY = joinFields([]);

/** The facts that an instance tells every client. */
export interface InstanceStatus {
  vclock: Vclock;
  /** Counts changes of the schema. */
  schemaVersion: number;
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
  };
}

/** The codes of the errors by which an instance refuses every write. */
const NOT_WRITABLE: readonly (number | undefined)[] = [ErrorCode.READONLY, ErrorCode.LOADING];

/**
 * Asks an instance to delete a row by a key without parts, which no server does. One that takes no writes says
 * so first, whoever asks: a replica, a follower, one with `read_only`, an orphan (2.6 tells of that in no
 * other way), one that is not ready.
 *
 * Source: `box_check_writable()` in `box_process1()` of the server's `src/box/box.cc`, which comes before the
 * check of privileges and of the key.
 *
 * @returns the reason in the server's words, which name it since 2.10; undefined if the instance takes writes
 */
export async function readOnlyReason(connection: Connection): Promise<string | undefined> {
  try {
    await connection.request(remove(SystemSpace.SCHEMA, NO_KEY), 'the server says');
  } catch (error) {
    if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
    return NOT_WRITABLE.includes(error.serverCode) ? error.message : undefined;
  }
  throw new Error('a row was deleted that has no key');
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
    return Returned.by(reply).number(0);
  } catch (error) {
    if (error instanceof TntarError && error.kind === 'access') return Number.NaN;
    throw error;
  }
}
