import { equal, throws } from 'node:assert/strict';
import { decodeExact, encode } from '../../../lib/tuple/codec.js';
import { Datetime, type DatetimeParts } from '../../../lib/tuple/datetime.js';
import { ext } from '../../support/msgpack.js';

/** Datetimes that no server accepts, tried with 2.11 and 3.9: `msgpack.object_from_raw` says "invalid MsgPack". */
const BEYOND: DatetimeParts[] = [
  { seconds: 185_480_451_417_601n },
  { seconds: -185_604_722_870_401n },
  { seconds: 2n ** 63n },
  { seconds: 0n, nanoseconds: -1 },
  { seconds: 0n, nanoseconds: 1_000_000_000 },
  { seconds: 0n, offsetMinutes: 841 },
  { seconds: 0n, offsetMinutes: -721 },
  { seconds: 0n, offsetMinutes: 30_000 },
  { seconds: 0n, offsetMinutes: 65_536 },
  { seconds: 0n, tzIndex: 1025 },
  { seconds: 0n, tzIndex: -1 },
  { seconds: 0n, tzIndex: 32_000 },
];

const said = (parts: object): string =>
  Object.entries(parts)
    .map(([part, value]) => `${part} ${value}`)
    .join(', ');

describe('a datetime', () => {
  for (const parts of BEYOND) {
    it(`is refused if no server accepts it: ${said(parts)}`, () => {
      throws(() => Datetime.from(parts), RangeError);
    });
  }

  for (const parts of [
    { seconds: 185_480_451_417_600n },
    { seconds: -185_604_722_870_400n },
    { seconds: 0n, nanoseconds: 999_999_999 },
    { seconds: 0n, offsetMinutes: 840 },
    { seconds: 0n, offsetMinutes: -720 },
    { seconds: 0n, tzIndex: 1024 },
  ] as DatetimeParts[]) {
    it(`has the limits of the server: ${said(parts)}`, () => {
      equal(String(decodeExact(Datetime.from(parts).raw)), String(Datetime.from(parts)));
    });
  }

  for (const [text, kind] of [
    ['2024-02-29T12:00:00+99:59', RangeError],
    ['2024-02-29T12:00:00+14:01', RangeError],
    ['2024-02-29T12:00:00-12:01', RangeError],
    ['2024-02-29T12:00:00+03:60', RangeError],
    ['2024-02-30', RangeError],
    ['yesterday', TypeError],
  ] as [string, typeof TypeError][]) {
    it(`refuses '${text}'`, () => throws(() => Datetime.from(text), kind));
  }

  for (const parts of [
    {},
    { seconds: 0 },
    { seconds: '0' },
    { seconds: null },
    { seconds: 0n, nanoseconds: 1.7 },
    { seconds: 0n, nanoseconds: 1n },
    { seconds: 0n, nanoseconds: null },
    { seconds: 0n, offsetMinutes: 0.5 },
    { seconds: 0n, offsetMinutes: Number.NaN },
    { seconds: 0n, offsetMinutes: '180' },
    { seconds: 0n, tzIndex: 1.5 },
  ]) {
    it(`refuses parts that would be cut: ${said(parts)}`, () => {
      throws(() => Datetime.from(parts as never), TypeError);
    });
  }

  it('keeps its original bytes, even if no server would write them', () => {
    for (const tail of [
      '00000000' + '4903' + '0000',
      '00000000' + '0000' + '0104',
      'ff'.repeat(8),
    ]) {
      const raw = ext(4, Buffer.from('01'.padEnd(16, '0') + tail, 'hex'));
      equal(encode(decodeExact(raw)).toString('hex'), raw.toString('hex'));
    }
  });
});
