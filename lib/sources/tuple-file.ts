import { MAX_TUPLE_BYTES } from '../archive/limits.js';
import { TntarError } from '../errors.js';
import { NOTHING } from '../memory.js';
import { INVALID, skipTuple } from '../tuple/msgpack.js';

/** Some tuples, none of them split. */
export interface Whole {
  /** Tuples in `bytes`; never 0. */
  count: number;
  bytes: Buffer;
}

/** Walked at a time: as large as a part of an archive, so that what is behind has batches of one size. */
const PIECE_BYTES = 2 * 1024 * 1024;

/** Steps over whole tuples. */
function walk(bytes: Buffer): { count: number; end: number; isInvalid: boolean } {
  let [count, end] = [0, 0];
  while (end < bytes.length) {
    const next = skipTuple(bytes, end, bytes.length);
    if (next < 0) return { count, end, isInvalid: next === INVALID };
    end = next;
    count++;
  }
  return { count, end, isInvalid: false };
}

/**
 * Cuts the bytes of a file between tuples.
 *
 * @param name - of the file, for messages
 * @returns pieces of some MiB, or of one tuple where that is larger
 * @throws TntarError of kind `archive` for anything but whole tuples, and for one of more than 128 MiB
 * @example
 * for await (const { count, bytes } of wholeTuples(createReadStream('512.dump'), '512.dump')) load(bytes);
 */
export async function* wholeTuples(
  chunks: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<Whole> {
  let held: Buffer[] = [];
  let bytes = 0;
  let wanted = PIECE_BYTES;
  let offset = 0;
  const refuse = (what: string, at: number): TntarError =>
    new TntarError('archive', `${name}: ${what} at byte ${offset + at}`, {
      hint: 'the file is damaged, cut short, or no dump of a space',
    });
  const take = (isEnd: boolean): Whole | undefined => {
    const all = held.length === 1 ? held[0]! : Buffer.concat(held, bytes);
    const { count, end, isInvalid } = walk(all);
    const rest = all.subarray(end);
    if (isInvalid || (isEnd && rest.length > 0)) throw refuse('no whole tuple', end);
    if (rest.length > MAX_TUPLE_BYTES)
      throw refuse(`a tuple of over ${MAX_TUPLE_BYTES} bytes`, end);
    held = rest.length === 0 ? [] : [rest];
    bytes = rest.length;
    // of a large tuple twice as much before it is walked again
    wanted = Math.max(PIECE_BYTES, count === 0 ? 2 * bytes : 0);
    offset += end;
    return count === 0 ? undefined : { count, bytes: end === 0 ? NOTHING : all.subarray(0, end) };
  };
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < Math.min(wanted, MAX_TUPLE_BYTES + PIECE_BYTES)) continue;
    const whole = take(false);
    if (whole !== undefined) yield whole;
  }
  if (bytes === 0) return;
  const whole = take(true);
  if (whole !== undefined) yield whole;
}
