import { deepEqual, equal } from 'node:assert/strict';
import type { TupleBatch } from '../../../lib/backup/batch.js';
import { type Count, Counter, countsDiffer } from '../../../lib/backup/item.js';

const batch = (id: number, count: number, size: number): TupleBatch => ({
  kind: 'tuples',
  space: { id, name: `s${id}`, engine: 'memtx' },
  count,
  bytes: Buffer.alloc(size),
});

const counts = (entries: Record<number, [number, number]>): Map<number, Count> =>
  new Map(
    Object.entries(entries).map(([id, [rows, bytes]]) => [Number(id), { rows, bytes }] as const),
  );

describe('Counter', () => {
  it('adds up batches by space, in a stream or by a call', async () => {
    const counter = new Counter();
    const batches = [batch(512, 2, 10), batch(513, 1, 7), batch(512, 3, 20)];
    const passed: TupleBatch[] = [];
    for await (const each of counter.pass(batches)) passed.push(each);
    deepEqual(passed, batches);
    counter.add(batch(513, 1, 1));
    deepEqual(counter.counts, counts({ 512: [5, 30], 513: [2, 8] }));
  });

  it('counts a batch only when it is taken', async () => {
    const counter = new Counter();
    const passing = counter.pass([batch(512, 2, 10), batch(512, 3, 20)]);
    await passing.next();
    deepEqual(counter.counts, counts({ 512: [2, 10] }));
    await passing.return(undefined);
  });
});

describe('countsDiffer', () => {
  it('is undefined if both are equal, in any order', () => {
    equal(countsDiffer(counts({}), counts({})), undefined);
    const ascending = new Map([
      [1, { rows: 1, bytes: 2 }],
      [2, { rows: 3, bytes: 4 }],
    ]);
    equal(countsDiffer(ascending, new Map([...ascending].toReversed())), undefined);
    equal(countsDiffer(counts({ 512: [0, 0] }), counts({})), undefined);
  });

  for (const [title, read, arrived, expected] of [
    [
      'rows',
      { 512: [2, 9] },
      { 512: [1, 9] },
      'space 512: 2 rows (9 bytes) were read, 1 (9) arrived',
    ],
    [
      'bytes',
      { 512: [2, 9] },
      { 512: [2, 8] },
      'space 512: 2 rows (9 bytes) were read, 2 (8) arrived',
    ],
    ['a lost space', { 512: [2, 9] }, {}, 'space 512: 2 rows (9 bytes) were read, 0 (0) arrived'],
    [
      'a space too many',
      {},
      { 513: [1, 1] },
      'space 513: 0 rows (0 bytes) were read, 1 (1) arrived',
    ],
  ] as const) {
    it(`tells ${title}`, () => {
      equal(countsDiffer(counts(read as never), counts(arrived as never)), expected);
    });
  }
});
