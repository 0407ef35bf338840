import { equal } from 'node:assert/strict';
import { RowSet } from '../../../lib/cluster/row-set.js';
import { encode, type Value } from '../../../lib/tuple/codec.js';

function setOf(...batches: Value[][]): RowSet {
  const rows = new RowSet();
  for (const batch of batches) rows.add(Buffer.concat(batch.map((row) => encode(row))));
  return rows;
}

describe('a set of rows', () => {
  for (const [title, a, b, isEqual] of [
    ['is equal to itself', setOf([[1], [2]]), setOf([[1], [2]]), true],
    [
      'is equal in another order and other batches',
      setOf([[1], [2], [3]]),
      setOf([[3]], [[1], [2]]),
      true,
    ],
    ['differs if a row is missing', setOf([[1], [2]]), setOf([[1]]), false],
    ['differs if a row is another one', setOf([[1], [2]]), setOf([[1], [3]]), false],
    ['differs if a row is there twice', setOf([[1], [2]]), setOf([[1], [2], [2]]), false],
    ['is empty without rows', setOf(), setOf([]), true],
  ] as [string, RowSet, RowSet, boolean][]) {
    it(title, () => {
      equal(a.equals(b), isEqual);
      equal(b.equals(a), isEqual);
    });
  }
});
