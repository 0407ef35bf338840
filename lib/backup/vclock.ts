/** Instances of a replica set, `VCLOCK_MAX` of the server's `src/box/vclock.h`: their ids go from 0 to 31. */
export const MAX_REPLICAS = 32;

/** LSN by replica id, e.g. `{"1": 1042}`: how many writes of each replica a server has seen. */
export type Vclock = Record<string, number>;

/** True for the id of a replica, as a vclock has it. */
export function isReplicaId(key: string): boolean {
  return /^(?:0|[1-9]\d?)$/.test(key) && Number(key) < MAX_REPLICAS;
}

/** True if nothing was written between the two, spaces that are local to the instance included. */
export function sameVclock(a: Vclock, b: Vclock): boolean {
  const replicas = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...replicas].every((replica) => (a[replica] ?? 0) === (b[replica] ?? 0));
}
