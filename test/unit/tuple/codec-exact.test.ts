import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { decodeExact, encode } from '../../../lib/tuple/codec.js';
import { Datetime } from '../../../lib/tuple/datetime.js';
import { Decimal } from '../../../lib/tuple/decimal.js';
import { Double, Float, Opaque, Raw } from '../../../lib/tuple/exact-types.js';
import { Interval, type IntervalParts } from '../../../lib/tuple/interval.js';
import { Uuid } from '../../../lib/tuple/uuid.js';
import { bin, coded, ext, float32, float64, pack } from '../../support/msgpack.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('exact values', () => {
  for (const [title, raw] of [
    ['nil', hex('c0')],
    ['booleans', hex('92c2c3')],
    ...[0, 127, 128, 255, 256, 65535, 65536, 2 ** 32, -1, -32, -33, -128, -129, -32769].map(
      (n): [string, Buffer] => [`integer ${n}`, pack(n)],
    ),
    ...[2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 63n)].map(
      (n): [string, Buffer] => [`integer ${n}`, pack(n)],
    ),
    ['a whole double', float64(1)],
    ['minus zero', float64(-0)],
    ['a double', float64(0.1)],
    ['infinity', float64(Infinity)],
    ['not a number', hex('cb7ff8000000000000')],
    ['another that is not a number', hex('cbfff8000000000001')],
    ['a float', float32(0.1)],
    ['a whole float', float32(2)],
    ['strings', pack(['', 'x', 'ключ', '\ufffd', '\ufeffx', 'y'.repeat(300), 'z'.repeat(70000)])],
    ['a string that is no UTF-8', hex('a2c328')],
    ['binary', hex('c403010203')],
    ['nested containers', pack([[], [[1, {}]], { a: { b: [null] } }])],
    [
      'a map with keys of all kinds',
      pack(
        new Map([
          [1, 2],
          ['a', 3],
        ] as [number | string, number][]),
      ),
    ],
    ...[
      ['b', '10', '9'],
      ['10', 'b', '9'],
      ['9', '10', 'b'],
      ['01', '1'],
      ['4294967296', '1'],
    ].map((keys): [string, Buffer] => [
      `a map with the keys ${keys.join(', ')}`,
      pack(new Map(keys.map((key, i) => [key, i]))),
    ]),
    ['a map with a key that occurs twice', hex('82a16101a16102')],
    [
      'a map with __proto__',
      pack(
        new Map([
          ['__proto__', 1],
          ['x', 2],
        ]),
      ),
    ],
    ['a decimal', ext(1, hex('02001c'))],
    ['a decimal with a negative scale', ext(1, hex('fe1d'))],
    ['an odd decimal', ext(1, hex('ffffff'))],
    ['a uuid', hex(`d802${'64d22e4dac924a23899ae59f34af5479'}`)],
    ['a short datetime', ext(4, hex('0100000000000000'))],
    ['a long datetime', ext(4, hex('ffffffffffffffff0100000' + '0b4000100'))],
    ['an interval', ext(6, hex('0200010803'))],
    ['an odd interval', ext(6, hex('02000109' + '03'))],
    ['an error and a type that nobody knows', pack([ext(3, hex('80')), ext(200, hex('0102'))])],
  ] as [string, Buffer][]) {
    it(`writes ${title} as it was read`, () => {
      equal(encode(decodeExact(raw)).toString('hex'), raw.toString('hex'));
    });
  }

  it('distinguishes a whole double from an integer, and calculates with both', () => {
    const value = decodeExact(float64(3));
    ok(value instanceof Double);
    equal(Number(value) * 2, 6);
    equal(decodeExact(pack(3)), 3);
    ok(decodeExact(float32(3)) instanceof Float);
  });

  it('returns numbers beyond 2^53 as bigints, whatever the form of smaller ones is', () => {
    equal(decodeExact(pack(2n ** 53n)), 2n ** 53n);
    equal(decodeExact(coded(0xcf, 8, 7)), 7);
    equal(encode(7n).toString('hex'), '07');
  });

  it('makes __proto__ an own key', () => {
    const value = decodeExact(pack(new Map([['__proto__', 1]]))) as object;
    deepEqual(Object.keys(value), ['__proto__']);
    equal(Object.getPrototypeOf(value), Object.prototype);
  });

  it('returns an object for a map with numeric keys, if that keeps their order', () => {
    const sorted = pack(
      new Map([
        ['9', 1],
        ['10', 2],
        ['b', 3],
      ]),
    );
    deepEqual(decodeExact(sorted), { 9: 1, 10: 2, b: 3 });
    ok(
      decodeExact(
        pack(
          new Map([
            ['10', 2],
            ['9', 1],
          ]),
        ),
      ) instanceof Map,
    );
  });

  it('returns binary values as bytes', () => {
    deepEqual([...(decodeExact(bin(Buffer.of(1, 2))) as Uint8Array)], [1, 2]);
  });

  for (const [title, field] of [
    ['binary', bin(Buffer.of(1, 2))],
    ['a whole double', float64(1)],
    ['a float', float32(1)],
    ['a decimal', ext(1, hex('02001c'))],
    ['an extension that nobody knows', ext(100, Buffer.of(1, 2))],
    ['a string that is no UTF-8', hex('a2c328')],
  ] as [string, Buffer][]) {
    it(`returns ${title} as a copy, so that a write to it does not change the row`, () => {
      const raw = Buffer.from(field);
      const value = decodeExact(raw) as Uint8Array | Opaque;
      const given = value instanceof Uint8Array ? [value] : [value.raw, value.payload];
      for (const bytes of given) bytes?.reverse();
      deepEqual(raw, field);
    });
  }

  for (const [text, payload] of [
    ['1', '001c'],
    ['-12.50', '0201250d'],
    ['0.001', '031c'],
    ['0', '000c'],
    ['9'.repeat(38), `000${'9'.repeat(38)}c`],
    ['9'.repeat(76), `000${'9'.repeat(76)}c`],
  ] as const) {
    it(`packs the decimal ${text} as the server does, and reads it`, () => {
      const { raw } = Decimal.from(text);
      ok(raw.toString('hex').endsWith(payload));
      equal(String(decodeExact(raw)), text);
    });
  }

  it('reads and writes UUIDs and datetimes as text', () => {
    const uuid = '64d22e4d-ac92-4a23-899a-e59f34af5479';
    equal(String(decodeExact(Uuid.from(uuid.toUpperCase()).raw)), uuid);
    for (const text of [
      '1970-01-01T00:00:00Z',
      '2024-02-29T12:00:00.000000001+03:00',
      '1969-12-31T23:59:59.500000000-05:30',
      '0000-03-01T00:00:00Z',
      '-000001-12-31T00:00:00Z',
      '+012345-06-07T08:09:10Z',
    ]) {
      equal(String(decodeExact(Datetime.from(text).raw)), text);
    }
    const date = new Date(-1);
    equal(String(decodeExact(encode(date))), '1969-12-31T23:59:59.999000000Z');
    equal(Datetime.from(date).toDate().getTime(), -1);
  });

  it('agrees with the calendar of JavaScript', () => {
    for (let day = -800_000; day < 800_000; day += 997) {
      const date = new Date(day * 86_400_000);
      equal(Datetime.from(date).toDate().getTime(), date.getTime());
      equal(String(Datetime.from(date)), date.toISOString().replace('.000', ''));
      equal(Datetime.from(date.toISOString()).seconds, BigInt(day) * 86400n);
    }
  });

  it('reads the parts of an interval', () => {
    const interval = decodeExact(Interval.from({ month: 1, day: -300 }).raw) as Interval;
    deepEqual(interval.parts, { month: 1, day: -300, adjust: 1 });
    equal(String(interval), '1 month, -300 day');
  });

  // The result of msgpack.encode(datetime.interval.new(...)) on 2.11 and 3.x.
  for (const [title, parts, payload] of [
    ["'none' where nothing is said", { day: 1 }, '0203010801'],
    ["'none'", { day: 1, adjust: 1 }, '0203010801'],
    ["'excess'", { day: 1, adjust: 0 }, '010301'],
    ["'last'", { day: 1, adjust: 2 }, '0203010802'],
    ["'none' in an empty interval", {}, '010801'],
  ] as [string, IntervalParts, string][]) {
    it(`writes how months end as the server does: ${title}`, () => {
      equal(Interval.from(parts).raw.toString('hex'), ext(6, hex(payload)).toString('hex'));
    });
  }

  it('writes the same interval from parts that were read, whatever they say about months', () => {
    for (const payload of ['010301', '0203010801', '0203010802']) {
      const { parts, raw } = decodeExact(ext(6, hex(payload))) as Interval;
      equal(Interval.from(parts).raw.toString('hex'), raw.toString('hex'));
    }
  });

  for (const [title, value, kind] of [
    ['undefined', undefined, TypeError],
    ['undefined inside', [{ a: undefined }], TypeError],
    ['a hole', new Array(1), TypeError],
    ['a function', () => {}, TypeError],
    ['a symbol', Symbol('x'), TypeError],
    ['an instance', new Set(), TypeError],
    ['half a surrogate pair', '\ud800', TypeError],
    ['an invalid date', new Date(Number.NaN), TypeError],
    ['2^64', 2n ** 64n, RangeError],
    ['less than -2^63', -(2n ** 63n) - 1n, RangeError],
    ['a number that is not exact', 2 ** 60, RangeError],
  ] as [string, unknown, typeof TypeError][]) {
    it(`refuses ${title}`, () => throws(() => encode(value), kind));
  }

  it('refuses values that contain themselves, nest too deep, or are not whole', () => {
    const self: unknown[] = [];
    self.push(self);
    throws(() => encode(self), /deeper than 1000/);
    throws(() => decodeExact(Buffer.concat([Buffer.alloc(600, 0x91), hex('c0')])), /deeper/);
    throws(() => decodeExact(hex('92c0')), RangeError);
    throws(() => new Raw(hex('0101')), TypeError);
    throws(() => Decimal.from('1'.repeat(77)), RangeError);
    throws(() => Decimal.from('x'), TypeError);
    throws(() => Uuid.from('x'), TypeError);
    throws(() => Datetime.from('2023-02-29'), RangeError);
    throws(() => new Opaque(128, hex('')), RangeError);
  });
});
