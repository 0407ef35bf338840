import { ErrorCode } from './constants.js';
import { disabledIn, enableHint } from './denials.js';

/** Tells what to do if a server waits for a quorum, whether it is read or written to. */
export const QUORUM_HINT =
  'check on the server that the replicas are connected: box.info.replication, and box.info.synchro since 2.8';

const ACCESS_HINT = 'log in as a user who has this privilege, or grant it';

/** Codes of errors about who may do what. */
const ACCESS: readonly number[] = [
  ErrorCode.ACCESS_DENIED,
  ErrorCode.NO_SUCH_USER,
  ErrorCode.PASSWORD_MISMATCH,
];
/** Codes of errors about transactions that no quorum has confirmed. */
const QUORUM: readonly number[] = [ErrorCode.SYNC_QUORUM_TIMEOUT, ErrorCode.SYNC_ROLLBACK];

/** True for an error about who may do what. */
export function isAccess(code: number): boolean {
  return ACCESS.includes(code);
}

/**
 * What can be done about an error of a server; undefined if that depends.
 *
 * @param text - in the server's words
 */
export function hintFor(code: number, text: string): string | undefined {
  if (QUORUM.includes(code)) return QUORUM_HINT;
  if (!isAccess(code)) return undefined;
  const disabled = disabledIn(text);
  return disabled === undefined ? ACCESS_HINT : enableHint(disabled);
}
