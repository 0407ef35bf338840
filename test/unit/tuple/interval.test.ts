import { deepEqual, throws } from 'node:assert/strict';
import { decodeExact, encode } from '../../../lib/tuple/codec.js';
import { Interval } from '../../../lib/tuple/interval.js';
import { ext } from '../../support/msgpack.js';

const MOST_32 = 2n ** 31n - 1n;
const MOST_64 = 2n ** 63n - 1n;

describe('an interval', () => {
  // For these, `msgpack.object_from_raw` of 2.11 and 3.9, or of 3.9 alone, says "invalid MsgPack".
  for (const [part, beyond] of [
    ...['year', 'month', 'week', 'nanosecond'].flatMap((each) => [
      [each, MOST_32 + 1n],
      [each, -MOST_32 - 2n],
    ]),
    ...['day', 'hour', 'minute', 'second'].flatMap((each) => [
      [each, MOST_64 + 1n],
      [each, -MOST_64 - 2n],
    ]),
    ['month', 2n ** 62n],
    ['adjust', 3],
    ['adjust', 9],
    ['adjust', -1],
  ] as [string, number | bigint][]) {
    it(`is refused if no server accepts it: ${part} ${beyond}`, () => {
      throws(() => Interval.from({ [part]: beyond }), RangeError);
    });
  }

  it('has the limits of the server', () => {
    for (const parts of [
      { year: MOST_32, month: -MOST_32 - 1n, week: MOST_32, nanosecond: -MOST_32 - 1n },
      { day: MOST_64, hour: -MOST_64 - 1n, minute: MOST_64, second: -MOST_64 - 1n, adjust: 2 },
    ]) {
      const { parts: read } = decodeExact(Interval.from(parts).raw) as Interval;
      for (const [part, value] of Object.entries(parts)) {
        deepEqual(BigInt(read[part as keyof typeof parts]!), BigInt(value));
      }
    }
  });

  for (const parts of [
    { day: '1' },
    { day: '' },
    { day: null },
    { day: false },
    { day: 1.5 },
    { day: Number.NaN },
    { day: 2 ** 60 },
    { adjust: null },
    { fortnight: 1 },
  ]) {
    it(`refuses ${JSON.stringify(parts)}`, () => {
      throws(() => Interval.from(parts as never), TypeError);
    });
  }

  it('keeps its original bytes, although 3.9 would refuse its month', () => {
    const raw = ext(6, Buffer.from('0101ce80000000', 'hex'));
    const interval = decodeExact(raw) as Interval;
    deepEqual(interval.parts, { adjust: 0, month: 2 ** 31 });
    deepEqual(encode(interval), raw);
  });
});
