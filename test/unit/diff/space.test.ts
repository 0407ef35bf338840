import { deepEqual, rejects } from 'node:assert/strict';
import fc from 'fast-check';
import { silent } from '../../../lib/base/report.js';
import { Scratch } from '../../../lib/base/scratch.js';
import { Cursor } from '../../../lib/diff/cursor.js';
import type { Pairing } from '../../../lib/diff/key.js';
import type { OnRow, RowCounts } from '../../../lib/diff/merge.js';
import { SpaceComparison } from '../../../lib/diff/space.js';
import { holds } from '../../property/runs.js';
import { byKey, expected, Heard, pieces, rowOf, sizes, sorted, two } from './model.js';

const PAIRINGS: Readonly<Record<string, Pairing>> = {
  'in an uncertain order': { compare: byKey, isWhole: false, isDoubtful: true },
  'without a known order': {
    compare: byKey,
    isWhole: false,
    isDoubtful: false,
    sortedFor: 'a test',
  },
};

async function compared(
  [left, right]: readonly (readonly Buffer[])[],
  [a, b]: readonly [number, number],
  pairing: Pairing,
  onRow?: OnRow,
): Promise<RowCounts> {
  const scratch = new Scratch();
  try {
    const comparison = new SpaceComparison('rows', pairing, {
      scratch,
      report: silent,
      onRow,
      blame: () => {},
    });
    return await comparison.run([new Cursor(pieces(left!, a)), new Cursor(pieces(right!, b))]);
  } finally {
    await scratch.close();
  }
}

/** Returns the rows with some of them swapped. */
function shuffled(
  rows: readonly Buffer[],
  swaps: readonly (readonly [number, number])[],
): Buffer[] {
  const list = [...rows];
  for (const [a, b] of swaps) {
    const [i, j] = [a % list.length, b % list.length];
    if (list.length > 0) [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

const swaps = fc.array(fc.tuple(fc.nat(300), fc.nat(300)), { maxLength: 6 });

describe('a comparison of the rows of a space', () => {
  for (const [title, pairing] of Object.entries(PAIRINGS)) {
    holds(
      `finds the same as a search by key, in rows ${title}`,
      150,
      fc.asyncProperty(two, sizes, swaps, swaps, async ([left, right], size, a, b) => {
        const rows = [shuffled(sorted(left), a), shuffled(sorted(right), b)];
        const heard = new Heard();
        deepEqual(await compared(rows, size, pairing, heard.hear), expected(left, right));
        deepEqual(heard.before.sort(), Heard.expected(left, right));
        deepEqual(heard.after.sort(), Heard.expected(right, left));
        deepEqual(await compared(rows, size, pairing), expected(left, right));
      }),
    );
  }

  it('refuses rows that are not in order if the order is certain', async () => {
    const rows = [
      [1, 3, 2],
      [1, 2, 4],
    ].map((keys) => keys.map((key) => rowOf([key, ''])));
    const pairing = { compare: byKey, isWhole: false, isDoubtful: false };
    await rejects(compared(rows, [2, 1], pairing), {
      kind: 'failure',
      message: /not in the order/,
    });
  });
});
