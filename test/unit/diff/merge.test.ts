import { deepEqual, fail } from 'node:assert/strict';
import fc from 'fast-check';
import { Scratch } from '../../../lib/base/scratch.js';
import { Cursor } from '../../../lib/diff/cursor.js';
import { Merge } from '../../../lib/diff/merge.js';
import { Sorter } from '../../../lib/diff/sorter.js';
import { holds } from '../../property/runs.js';
import { byKey, expected, Heard, pieces, rowOf, sizes, sorted, two } from './model.js';

describe('a merge of rows', () => {
  holds(
    'counts the same as a search by key',
    300,
    fc.asyncProperty(two, sizes, fc.boolean(), async ([left, right], [a, b], isHeard) => {
      const heard = new Heard();
      const merge = new Merge('rows', byKey, {
        onRow: isHeard ? heard.hear : undefined,
        onDisorder: () => fail('they are in order'),
      });
      const [from, to] = [pieces(sorted(left), a), pieces(sorted(right), b)];
      await merge.run(new Cursor(from), new Cursor(to));
      deepEqual(merge.counts, expected(left, right));
      if (!isHeard) return;
      deepEqual(heard.before.sort(), Heard.expected(left, right));
      deepEqual(heard.after.sort(), Heard.expected(right, left));
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
        const merge = new Merge('rows', byKey);
        try {
          await merge.run(cursors[0]!, cursors[1]!);
        } finally {
          await scratch.close();
        }
        deepEqual(merge.counts, expected(...sides));
      },
    ),
  );

  it('reports rows that are not in order', async () => {
    const disorder = async (
      left: readonly number[],
      right: readonly number[],
    ): Promise<boolean> => {
      let isTold = false;
      const merge = new Merge('rows', byKey, {
        onDisorder: () => {
          isTold = true;
        },
      });
      const [a, b] = [left, right].map(
        (keys, side) =>
          new Cursor(
            pieces(
              keys.map((key) => rowOf([key, key === 9 ? String(side) : ''])),
              1,
            ),
          ),
      );
      await merge.run(a!, b!);
      return isTold;
    };
    deepEqual(await disorder([1, 3, 9], [1, 2, 4]), false);
    deepEqual(await disorder([1, 3, 2, 9], [1, 2, 4, 9]), true);
    // Others were equal in between.
    deepEqual(await disorder([2, 5, 7, 9], [5, 7, 2, 9]), true);
    // The other side was at its end.
    deepEqual(await disorder([5, 9, 1], [1, 5]), true);
  });
});
