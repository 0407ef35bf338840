import { INCOMPLETE, skipTuple } from '../tuple/msgpack.js';
import { UNFINISHED, Walker } from '../tuple/walk.js';

/** The space that a batch belongs to, as far as a stage on the way has to know it. */
export interface SpaceInfo {
  /** Up to 511 for spaces of the system. */
  id: number;
  name: string;
  /** e.g. `memtx` */
  engine: string;
}

/** Whole tuples of one space on their way through a pipeline. */
export interface TupleBatch {
  kind: 'tuples';
  space: SpaceInfo;
  /** Tuples in `bytes`; never 0. */
  count: number;
  /** `count` MessagePack arrays back to back. Owned by the receiver: the sender never writes to it again. */
  bytes: Buffer;
  /** Bytes of the largest tuple; absent if the tuples were not walked. */
  largest?: number;
  /**
   * Gives the memory of `bytes` back, for another batch. The last receiver calls it when it does not need them
   * any more. Memory that is not given back is left to the garbage collector.
   */
  release?: (() => void) | undefined;
}

/**
 * Counts the tuples in `bytes`.
 *
 * @returns the count, or the offset at which something other than a whole tuple stands
 */
export function countTuples(bytes: Buffer): { count: number } | { badOffset: number } {
  let count = 0;
  let pos = 0;
  while (pos < bytes.length) {
    const next = skipTuple(bytes, pos, bytes.length);
    if (next < 0) return { badOffset: pos };
    pos = next;
    count++;
  }
  return { count };
}

/** The same in turns, for many bytes. Finds the largest tuple on the way, too. */
export function* countInTurns(
  bytes: Buffer,
): Generator<void, { count: number; largest: number } | { badOffset: number }> {
  const walker = new Walker();
  let count = 0;
  let largest = 0;
  let pos = 0;
  while (pos < bytes.length) {
    let next = walker.beginTuple(bytes, pos, bytes.length);
    if (next === UNFINISHED) next = yield* walker.rest();
    if (next < 0) return { badOffset: pos };
    largest = Math.max(largest, next - pos);
    pos = next;
    count++;
  }
  return { count, largest };
}

/** Finds the bytes of the largest tuple of a batch, in turns. Looks at each tuple if the batch does not say. */
export function* largestInTurns({
  bytes,
  largest,
}: Pick<TupleBatch, 'bytes' | 'largest'>): Generator<void, number> {
  if (largest !== undefined) return largest;
  const counted = yield* countInTurns(bytes);
  if ('badOffset' in counted) throw notTuple(bytes, counted.badOffset);
  return counted.largest;
}

/** Returns the error about bytes that are no whole tuple. */
export const notTuple = (bytes: Buffer, pos: number): RangeError => {
  const isCut = skipTuple(bytes, pos, bytes.length) === INCOMPLETE;
  return new RangeError(`${isCut ? 'incomplete' : 'invalid'} tuple at byte ${pos}`);
};

/**
 * Each tuple of `bytes` as a view of the same memory.
 *
 * @param bytes - whole MessagePack arrays back to back, as in {@link TupleBatch.bytes}
 * @throws RangeError if the bytes are not whole arrays
 * @example
 * for (const raw of eachTuple(batch.bytes)) console.log(new Tuple(raw).get(0));
 */
export function* eachTuple(bytes: Buffer): Generator<Buffer> {
  let pos = 0;
  while (pos < bytes.length) {
    const next = skipTuple(bytes, pos, bytes.length);
    if (next < 0) throw notTuple(bytes, pos);
    yield bytes.subarray(pos, next);
    pos = next;
  }
}
