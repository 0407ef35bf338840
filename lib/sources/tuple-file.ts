import { MAX_TUPLE_BYTES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';
import { LargeMemory, type Loan, SharedPiece } from '../base/large-memory.js';
import { INVALID, skipTuple } from '../tuple/msgpack.js';
import { Arriving } from '../tuple/walk.js';

/** Some whole tuples. */
export interface Whole {
  /** Tuples in `bytes`; never 0. */
  count: number;
  bytes: Buffer;
  /** Gives the memory of `bytes` back, for whoever is done with it. */
  release: () => void;
}

/** The bytes that are walked at a time: as many as in a part of an archive, so that batches have one size. */
const PIECE_BYTES = 2 * 1024 * 1024;
/** Taken in at a time. */
const CHUNK_BYTES = 1024 * 1024;
/** The number of bytes in which a tuple ends, or is too large. */
const LONGEST_BYTES = MAX_TUPLE_BYTES + 1;
/** The memory for large tuples, one at a time. Pages of it that are not used cost nothing. */
const LARGE_BYTES = LONGEST_BYTES + PIECE_BYTES + CHUNK_BYTES;
/** A consumer that never gives memory back gets as much as it takes, but not as fast. */
const PATIENCE_MS = 2000;

function smallLoan(): Loan {
  return { memory: Buffer.allocUnsafeSlow(PIECE_BYTES + CHUNK_BYTES), release: () => {} };
}

/**
 * Steps over whole tuples.
 *
 * @param arriving - the walk over the first of them, which is a large one
 */
function walk(
  bytes: Buffer,
  arriving: Arriving | undefined,
): { count: number; end: number; isInvalid: boolean } {
  let [count, end] = [0, 0];
  while (end < bytes.length) {
    const next =
      count === 0 && arriving !== undefined
        ? arriving.walk(bytes, end, bytes.length)
        : skipTuple(bytes, end, bytes.length);
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
 * @param memory - of the run, for large tuples
 * @returns pieces of some MiB, or of one tuple if that is larger
 * @throws TntarError of kind `archive` for anything but whole tuples, and for one of more than 128 MiB
 * @example
 * for await (const { count, bytes } of wholeTuples(createReadStream('512.dump'), '512.dump')) load(bytes);
 */
export async function* wholeTuples(
  chunks: AsyncIterable<Buffer>,
  name: string,
  memory: LargeMemory = new LargeMemory(),
): AsyncGenerator<Whole> {
  const large = new SharedPiece(LARGE_BYTES, PATIENCE_MS, memory);
  let loan = smallLoan();
  let used = 0;
  let wanted = PIECE_BYTES;
  let arriving: Arriving | undefined;
  let offset = 0;
  const refuse = (what: string, at: number): TntarError =>
    new TntarError('archive', `${name}: ${what} at byte ${offset + at}`, {
      hint: 'the file is damaged, cut short, or not a dump of a space',
    });
  const add = async (bytes: Buffer): Promise<void> => {
    if (used + bytes.length > loan.memory.length) {
      const { memory, release } = loan;
      loan = await large.take();
      memory.copy(loan.memory, 0, 0, used);
      release();
    }
    used += bytes.copy(loan.memory, used);
  };
  const cut = async function* (isEnd: boolean): AsyncGenerator<Whole> {
    const { memory, release } = loan;
    const { count, end, isInvalid } = walk(memory.subarray(0, used), arriving);
    const left = used - end;
    if (isInvalid || (isEnd && left > 0)) throw refuse('no whole tuple', end);
    if (left > MAX_TUPLE_BYTES) throw refuse(`a tuple of over ${MAX_TUPLE_BYTES} bytes`, end);
    // a large tuple is walked while it arrives
    wanted = count === 0 ? Math.min(used + CHUNK_BYTES, LONGEST_BYTES) : PIECE_BYTES;
    if (count > 0) arriving = undefined;
    else {
      arriving ??= new Arriving();
      return;
    }
    const rest = Buffer.from(memory.subarray(end, used));
    offset += end;
    yield { count, bytes: memory.subarray(0, end), release };
    [loan, used] = [smallLoan(), 0];
    await add(rest);
  };
  try {
    for await (const chunk of chunks) {
      for (let pos = 0; pos < chunk.length; pos += CHUNK_BYTES) {
        await add(chunk.subarray(pos, pos + CHUNK_BYTES));
        if (used >= wanted) yield* cut(false);
      }
    }
    if (used > 0) yield* cut(true);
  } finally {
    large.free();
  }
}
