import { deepEqual, rejects } from 'node:assert/strict';
import fc from 'fast-check';
import { Cursor } from '../../lib/diff/cursor.js';
import type { compareRows } from '../../lib/diff/key.js';
import { Merge, OrderBroken, type RowCounts, type RowDifference } from '../../lib/diff/merge.js';
import type { Piece } from '../../lib/diff/pieces.js';
import { Scratch } from '../../lib/diff/scratch.js';
import { Sorter } from '../../lib/diff/sorter.js';
import { compareValues } from '../../lib/diff/values.js';
import { holds } from '../property/runs.js';
import { pack } from '../support/msgpack.js';

/** Rows `[key, text]` of one side, by their keys. */
type Rows = ReadonlyMap<number, string>;

/** By the first field, which is at the second byte of a short row. */
const byKey: typeof compareRows = (a, aOffset, b, bOffset) =>
  compareValues(a, aOffset + 1, b, bOffset + 1);

const rowOf = ([key, text]: readonly [number, string]): Buffer => pack([key, text]);

/** Rows in pieces of `size`; what was given back is overwritten. */
async function* pieces(rows: readonly Buffer[], size: number): AsyncGenerator<Piece> {
  for (let i = 0; i < rows.length; i += size) {
    const some = rows.slice(i, i + size);
    const bytes = Buffer.concat(some);
    yield { bytes, count: some.length, release: () => bytes.fill(0xc1) };
  }
}

const sorted = (rows: Rows): Buffer[] => [...rows].sort(([a], [b]) => a - b).map(rowOf);

/** What differs, by looking at each key. */
function expected(left: Rows, right: Rows): RowCounts {
  const counts = { removed: 0, added: 0, changed: 0, equal: 0 };
  for (const [key, text] of left) {
    const other = right.get(key);
    counts[other === undefined ? 'removed' : other === text ? 'equal' : 'changed']++;
  }
  for (const key of right.keys()) if (!left.has(key)) counts.added++;
  return counts;
}

/** Text that is long now and then, so that rows are the same for some bytes and more. */
const text = fc.oneof(
  fc.constantFrom('', 'a', 'b'),
  fc.constantFrom(300, 301).map((n) => 'x'.repeat(n)),
);
const rowsOf = fc
  .array(fc.tuple(fc.nat(120), text), { maxLength: 150 })
  .map((rows): Rows => new Map(rows));
/** Of two that have much in common. */
const two = fc
  .tuple(rowsOf, rowsOf, rowsOf)
  .map(([common, a, b]): [Rows, Rows] => [new Map([...common, ...a]), new Map([...common, ...b])]);
const sizes = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }));

describe('a merge of rows', () => {
  holds(
    'counts what a look at each key counts',
    300,
    fc.asyncProperty(two, sizes, fc.boolean(), async ([left, right], [a, b], isHeard) => {
      const heard: RowDifference[] = [];
      const onRow = ({ before, after }: RowDifference): void => {
        const [from, to] = [before, after].map((row) => row && Buffer.from(row));
        heard.push({ space: '', ...(from && { before: from }), ...(to && { after: to }) });
      };
      const merge = new Merge('rows', isHeard ? onRow : undefined);
      const [from, to] = [pieces(sorted(left), a), pieces(sorted(right), b)];
      await merge.run(new Cursor(from), new Cursor(to), byKey);
      deepEqual(merge.counts, expected(left, right));
      if (!isHeard) return;
      const rowsIn = (rows: Rows): Set<string> =>
        new Set([...rows].map((row) => rowOf(row).toString('hex')));
      const [inLeft, inRight] = [rowsIn(left), rowsIn(right)];
      const hexOf = (row: Buffer | undefined): string[] =>
        row === undefined ? [] : [row.toString('hex')];
      deepEqual(
        new Set(heard.flatMap(({ before }) => hexOf(before))),
        new Set([...inLeft].filter((row) => !inRight.has(row))),
      );
      deepEqual(
        new Set(heard.flatMap(({ after }) => hexOf(after))),
        new Set([...inRight].filter((row) => !inLeft.has(row))),
      );
    }),
  );

  holds(
    'counts the same of rows in any order that are sorted first, in memory or in files',
    60,
    fc.asyncProperty(
      two,
      sizes,
      fc.constantFrom(40, 5000, 10 ** 6),
      async (sides, [a], runBytes) => {
        const scratch = new Scratch();
        const cursors: Cursor[] = [];
        for (const rows of sides) {
          const sorter = new Sorter(byKey, scratch, runBytes);
          for await (const piece of pieces([...rows].map(rowOf), a)) {
            await sorter.add(piece);
            piece.release?.();
          }
          cursors.push(new Cursor(sorter.sorted()));
        }
        const merge = new Merge('rows');
        try {
          await merge.run(cursors[0]!, cursors[1]!, byKey, true);
        } finally {
          await scratch.close();
        }
        deepEqual(merge.counts, expected(...sides));
      },
    ),
  );

  it('refuses rows that are not in order', async () => {
    const rows = ([1, 3, 2] as const).map((key) => rowOf([key, 'a']));
    const others = ([1, 2, 4] as const).map((key) => rowOf([key, 'b']));
    const merge = new Merge('rows');
    const run = merge.run(new Cursor(pieces(rows, 2)), new Cursor(pieces(others, 1)), byKey);
    await rejects(run, OrderBroken);
  });

  it('refuses a row that comes behind one of its key, though others were the same in between', async () => {
    const left = [
      [2, 'a'],
      [5, 'b'],
      [7, 'c'],
      [9, 'd'],
    ] as const;
    const right = [
      [5, 'b'],
      [7, 'c'],
      [2, 'a'],
      [9, 'd'],
    ] as const;
    const [a, b] = [left, right].map((rows) => new Cursor(pieces(rows.map(rowOf), 1)));
    await rejects(new Merge('rows').run(a!, b!, byKey), OrderBroken);
  });
});
