import fc from 'fast-check';

/** A change of a list, at a place that is a share of its length. */
export interface Edit {
  what: 'cut' | 'drop' | 'repeat' | 'move' | 'swap' | 'insert' | 'replace';
  /** Where, of 10,000. */
  at: number;
  /** Another place, of 10,000. */
  to: number;
  count: number;
  /** Picks what comes from elsewhere. */
  pick: number;
}

const SHARES = 10_000;

/** Changes of a list, of up to `most` elements at a time. */
export const edit = (most: number): fc.Arbitrary<Edit> =>
  fc.record({
    what: fc.constantFrom('cut', 'drop', 'repeat', 'move', 'swap', 'insert', 'replace'),
    at: fc.nat(SHARES - 1),
    to: fc.nat(SHARES - 1),
    count: fc.integer({ min: 1, max: most }),
    pick: fc.nat(0xffff),
  });

const share = (of: number, length: number): number => Math.floor((of * length) / SHARES);

/** The list with the change made; `foreign` is what may come in from elsewhere. */
export function edited<T>(
  list: readonly T[],
  { what, at, to, count, pick }: Edit,
  foreign: readonly T[],
): T[] {
  const start = share(at, list.length);
  const end = Math.min(list.length, start + count);
  const piece = list.slice(start, end);
  const from = foreign.length === 0 ? 0 : pick % foreign.length;
  const others = foreign.slice(from, from + count);
  switch (what) {
    case 'cut':
      return list.slice(0, start);
    case 'drop':
      return list.toSpliced(start, piece.length);
    case 'repeat':
      return list.toSpliced(share(to, list.length), 0, ...piece);
    case 'move': {
      const rest = list.toSpliced(start, piece.length);
      return rest.toSpliced(share(to, rest.length), 0, ...piece);
    }
    case 'swap': {
      const other = share(to, list.length);
      const swapped = [...list];
      [swapped[start], swapped[other]] = [swapped[other]!, swapped[start]!];
      return list.length === 0 ? [] : swapped;
    }
    case 'insert':
      return list.toSpliced(start, 0, ...others);
    case 'replace':
      return list.toSpliced(start, others.length, ...others);
  }
}

/** All bits of a byte, in every order that matters: what comes into bytes from elsewhere. */
const BYTES = Array.from({ length: 0x1_0000 }, (_, i) => (i * 0x9e37) & 0xff);

/** {@link edited} of bytes. */
export function editedBytes(bytes: Buffer, change: Edit): Buffer {
  return Buffer.from(edited([...bytes], change, BYTES));
}

/** How bytes are cut into chunks, some of them empty. */
export const cuts: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.nat(3), fc.nat(600), fc.nat(70_000)),
  { minLength: 1, maxLength: 20 },
);

/** `bytes` in chunks of the given sizes, again and again; each in memory of its own. */
export function* chunksOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let pos = 0, i = 0; pos < bytes.length; i++) {
    // a round of nothing but empty chunks would not end
    const isLast = i % (sizes.length + 1) === sizes.length;
    const end = pos + (isLast ? 1 : sizes[i % (sizes.length + 1)]!);
    yield Buffer.from(bytes.subarray(pos, end));
    pos = end;
  }
}
