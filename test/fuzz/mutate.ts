/** A random whole number from 0 to `below`, without it. */
export type Random = (below: number) => number;

/** Random numbers that are the same for the same seed: xorshift with 32 bits. */
export function randomFrom(seed: number): Random {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes that mean something where lengths, codes, digits or quotes stand. */
const TELLING = [...'\x00\x01\x7f\x80\x81\x90\x91\xa1\xc0\xc1\xc4\xc7\xcb\xcf\xd3\xd6\xd8'].concat([
  ...'\xd9\xdb\xdc\xdd\xdf\xff0179-.{}[]",:\\nu/ ',
]);
/** Inputs do not grow beyond this. */
const MAX_BYTES = 16 * 1024;
/** Changes of an input at once: mostly one, at most so many. */
const MAX_CHANGES = 8;

type Mutator = (input: Buffer, other: Buffer, random: Random) => Buffer;

const telling = (random: Random): number => TELLING[random(TELLING.length)]!.charCodeAt(0);

function piece(of: Buffer, random: Random): Buffer {
  const start = random(of.length + 1);
  return of.subarray(start, start + 1 + random(1 << random(10)));
}

function spliced(input: Buffer, at: number, removed: number, ...added: Buffer[]): Buffer {
  return Buffer.concat([input.subarray(0, at), ...added, input.subarray(at + removed)]);
}

function overwritten(input: Buffer, at: number, bytes: Buffer): Buffer {
  const changed = Buffer.from(input);
  bytes.copy(changed, at);
  return changed;
}

const MUTATORS: readonly Mutator[] = [
  (input, _, random) => {
    const at = random(input.length);
    return overwritten(input, at, Buffer.of(input[at]! ^ (1 << random(8))));
  },
  (input, _, random) => overwritten(input, random(input.length), Buffer.of(random(256))),
  (input, _, random) => overwritten(input, random(input.length), Buffer.of(telling(random))),
  (input, _, random) => {
    const at = random(input.length);
    return overwritten(input, at, Buffer.of(input[at]! + random(9) - 4));
  },
  (input, _, random) => {
    const number = Buffer.alloc(1 << random(4));
    number.fill(random(2) === 0 ? 0xff : 0);
    number[number.length - 1] = random(256);
    return overwritten(input, random(input.length), number);
  },
  (input, _, random) => spliced(input, random(input.length + 1), 0, Buffer.of(telling(random))),
  (input, _, random) => spliced(input, random(input.length), 1 + random(1 << random(10))),
  (input, _, random) => spliced(input, random(input.length + 1), 0, piece(input, random)),
  (input, other, random) => spliced(input, random(input.length + 1), 0, piece(other, random)),
  (input, other, random) => overwritten(input, random(input.length), piece(other, random)),
  (input, other, random) =>
    Buffer.concat([
      input.subarray(0, random(input.length + 1)),
      other.subarray(random(other.length + 1)),
    ]),
  (input, _, random) => input.subarray(0, random(input.length)),
  (input, _, random) => {
    const at = random(input.length);
    const repeated = Array<Buffer>(1 << random(8)).fill(input.subarray(at, at + 1 + random(4)));
    return spliced(input, at, 0, ...repeated);
  },
];

/** Another input made of `input`, with pieces of `other` now and then. */
export function mutated(input: Buffer, other: Buffer, random: Random): Buffer {
  let changed = input;
  for (let changes = 1 << random(1 + Math.log2(MAX_CHANGES)); changes > 0; changes--) {
    if (changed.length === 0) changed = Buffer.of(telling(random));
    changed = MUTATORS[random(MUTATORS.length)]!(changed, other, random).subarray(0, MAX_BYTES);
  }
  return changed;
}

/** Ever smaller inputs that are still `good`, in so many tries; what is left is small, if not the smallest. */
export async function smallest(
  input: Buffer,
  good: (input: Buffer) => Promise<boolean>,
  tries = 2000,
): Promise<Buffer> {
  let least = input;
  let left = tries;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < least.length && left > 0; left--) {
      const without = spliced(least, at, size);
      if (await good(without)) least = without;
      else at += size;
    }
  }
  return least;
}
