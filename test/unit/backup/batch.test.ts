import { deepEqual, equal, throws } from 'node:assert/strict';
import { countTuples, eachTuple } from '../../../lib/backup/batch.js';
import { coded, pack, tuples } from '../../support/msgpack.js';

const THREE = [[1, 'one'], [], [3, { deep: [[[]]] }]] as const;

describe('countTuples', () => {
  it('counts whole tuples', () => {
    deepEqual(countTuples(Buffer.alloc(0)), { count: 0 });
    deepEqual(countTuples(pack([])), { count: 1 });
    deepEqual(countTuples(tuples(...THREE)), { count: 3 });
    deepEqual(countTuples(Buffer.alloc(100_000, 0x90)), { count: 100_000 });
  });

  const good = tuples([1, 'one'], [2]);
  for (const [title, bad, offset] of [
    ['a number', Buffer.concat([good, pack(7)]), good.length],
    ['a map', Buffer.concat([good, pack({ a: 1 })]), good.length],
    ['a string', pack('text'), 0],
    ['nil', pack(null), 0],
    ['zeros', Buffer.alloc(64), 0],
    ['an unused code', Buffer.concat([good, Buffer.of(0xc1)]), good.length],
    ['an unused code inside of a tuple', Buffer.concat([good, Buffer.of(0x91, 0xc1)]), good.length],
    ['half a tuple', Buffer.concat([good, pack([1, 'cut off']).subarray(0, -1)]), good.length],
    ['a tuple of 2^32 - 1 fields', Buffer.concat([good, coded(0xdd, 4, -1)]), good.length],
    [
      'a field beyond the end',
      Buffer.concat([good, Buffer.of(0x91), coded(0xdb, 4, -1)]),
      good.length,
    ],
  ] as const) {
    it(`gives the position of ${title}`, () => {
      deepEqual(countTuples(bad), { badOffset: offset });
    });
  }

  it('gives the start of the last tuple, truncated at any byte', () => {
    const last = pack([3, 'three', [4, 5]]);
    const whole = Buffer.concat([good, last]);
    for (let cut = good.length + 1; cut < whole.length; cut++) {
      deepEqual(countTuples(whole.subarray(0, cut)), { badOffset: good.length }, `cut at ${cut}`);
    }
  });
});

describe('eachTuple', () => {
  it('gives each tuple as a view', () => {
    const bytes = tuples(...THREE);
    const views = [...eachTuple(bytes)];
    deepEqual(views, THREE.map(pack));
    equal(views[2]!.buffer, bytes.buffer);
    deepEqual([...eachTuple(Buffer.alloc(0))], []);
  });

  it('throws at an incomplete tuple, with its offset', () => {
    const good = pack([1]);
    throws(() => [...eachTuple(Buffer.concat([good, Buffer.of(0x92, 1)]))], /incomplete .* byte 2/);
    throws(() => [...eachTuple(Buffer.concat([good, Buffer.of(7)]))], /invalid .* byte 2/);
  });
});
