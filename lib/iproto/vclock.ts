import { isReplicaId, MAX_REPLICAS, type Vclock } from '../backup/vclock.js';
import { broken } from './packets.js';

/**
 * Reads a decoded vclock, which has replica ids as keys.
 *
 * @throws TntarError where it is something else
 */
export function toVclock(decoded: unknown): Vclock {
  // text and bytes have an entry for each character or byte
  if (!isPlain(decoded ?? {})) throw broken('an invalid vclock');
  const entries = Object.entries((decoded ?? {}) as Record<string, unknown>);
  if (entries.length > MAX_REPLICAS) throw broken(`a vclock of ${entries.length} replicas`);
  return Object.fromEntries(entries.map(([replica, lsn]) => [replica, toLsn(replica, lsn)]));
}

function isPlain(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function toLsn(replica: string, value: unknown): number {
  const lsn = typeof value === 'bigint' ? Number(value) : value;
  if (isReplicaId(replica) && typeof lsn === 'number' && Number.isSafeInteger(lsn) && lsn >= 0)
    return lsn;
  throw broken('an invalid vclock');
}
