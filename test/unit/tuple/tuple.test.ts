import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { encode } from '../../../lib/tuple/codec.js';
import { Decimal } from '../../../lib/tuple/decimal.js';
import { Double, Opaque, Raw } from '../../../lib/tuple/exact-types.js';
import { Tuple, type TupleUpdate } from '../../../lib/tuple/tuple.js';
import { bin, coded, ext, float32, float64, type Plain, pack } from '../../support/msgpack.js';

const NAMES = new Map([
  ['id', 0],
  ['__proto__', 1],
]);
const tuple = (...fields: Plain[]): Tuple => new Tuple(pack(fields), NAMES);
const hex = (value: { raw: Buffer } | undefined): string | undefined => value?.raw.toString('hex');

describe('a tuple', () => {
  it('returns fields by position and by name', () => {
    const t = tuple(7, 'x', null);
    deepEqual(
      [t.length, t.get(0), t.get('id'), t.get('__proto__'), t.get(3)],
      [3, 7, 7, 'x', undefined],
    );
    deepEqual([...t], [7, 'x', null]);
    deepEqual(Object.entries(t.toObject()), [
      ['2', null],
      ['id', 7],
      ['__proto__', 'x'],
    ]);
  });

  // 60 million values in a row of 60 MB used to become objects of some gigabytes.
  it('refuses to decode more than 250,000 values at once, but returns their bytes', () => {
    const list = (count: number): Raw => {
      const raw = Buffer.alloc(5 + count, 1);
      raw[0] = 0xdd;
      raw.writeUInt32BE(count, 1);
      return new Raw(raw);
    };
    const large = Tuple.from([1, list(250_000)], new Map([['doc', 1]]));
    const message = /field 'doc' has too many values to decode: the limit is 250,000$/;
    throws(() => large.get('doc'), message);
    throws(() => large.toArray(), /^RangeError: field 1 has too many values to decode/);
    throws(() => large.update([['+', 'doc', 1]]), message);
    equal(large.get(0), 1);
    equal(large.field('doc')?.raw.length, 250_005);
    equal(large.set(0, 2).length, 2);
    equal((Tuple.from([list(200_000)]).get(0) as unknown[]).length, 200_000);
    throws(
      () => Tuple.from([list(200_000), list(200_000)]).toObject(),
      /field 1 has too many values/,
    );
    equal(Tuple.from(['x'.repeat(1_000_000)]).get(0), 'x'.repeat(1_000_000));
  });

  it('lists the known names if a name is unknown', () => {
    throws(() => tuple(1).get('nmae'), /'nmae'.*'id', '__proto__'/);
    throws(() => tuple(1).get(-1), RangeError);
  });

  it('is made of any values', () => {
    const made = Tuple.from(new Set([7, 'x', new Double(1), null]), NAMES);
    equal(hex(made), hex(tuple(7, 'x', float64(1), null)));
    equal(made.get('id'), 7);
    equal(hex(Tuple.from([])), hex(tuple()));
    throws(() => Tuple.from([1, Symbol('a')]), /field 1: /);
  });

  it('keeps the type of a value that is moved to another field', () => {
    for (const odd of [float64(1), float32(2), ext(1, Buffer.of(0, 0x1c)), ext(99, Buffer.of(1))]) {
      const t = tuple(1, odd);
      equal(hex(t.set('id', t.get(1))), hex(tuple(odd, odd)));
    }
    const long = tuple(1, coded(0xcf, 8, 1));
    equal(hex(long.set(0, long.field(1))), hex(tuple(coded(0xcf, 8, 1), coded(0xcf, 8, 1))));
  });

  it('does not change when its fields are changed', () => {
    const t = tuple(1, bin(Buffer.of(1, 2)), ext(100, Buffer.of(3)));
    const before = hex(t);
    (t.get(1) as Uint8Array).reverse();
    for (const value of t.toArray()) if (value instanceof Opaque) value.raw.fill(0);
    t.field(1)?.raw.fill(0);
    equal(hex(t), before);
  });

  it('is the same object if nothing changed, and grows only at its end', () => {
    const t = tuple(1, 'x');
    equal(t.set(1, 'x'), t);
    equal(t.update([['+', 0, 0]]), t);
    equal(hex(t.set(2, true)), hex(tuple(1, 'x', true)));
    throws(() => t.set(3, 1), RangeError);
    throws(() => t.set('id', undefined), /field 'id'.*undefined/);
  });

  it('supports ten thousand fields', () => {
    const fields = Array.from({ length: 10_000 }, (_, i) => i);
    const t = tuple(...fields);
    deepEqual(t.toArray(), fields);
    equal(t.set(9_999, 'end').get(9_999), 'end');
    equal(t.get(5_000), 5_000);
  });

  it('refuses anything but a tuple', () => {
    for (const raw of [Buffer.alloc(0), Buffer.of(1), Buffer.of(0xdd, 0)]) {
      throws(() => new Tuple(raw), TypeError);
    }
    throws(() => new Tuple(Buffer.of(0x92, 1)).get(1), RangeError);
  });
});

describe('update', () => {
  for (const [from, operation, to] of [
    [
      [1, 2],
      ['=', -1, 'x'],
      [1, 'x'],
    ],
    [[1], ['=', 1, 'x'], [1, 'x']],
    [
      [1, 2],
      ['!', 0, 0],
      [0, 1, 2],
    ],
    [
      [1, 2],
      ['!', -1, 3],
      [1, 2, 3],
    ],
    [[1, 2, 3], ['#', 1, 9], [1]],
    [[1, 2, 3], ['#', -3, 2], [3]],
    [[1], ['+', 'id', 2], [3]],
    [[1], ['-', 0, 2], [-1]],
    [[2n ** 64n - 2n], ['+', 0, 1], [2n ** 64n - 1n]],
    [[0], ['-', 0, 2n ** 63n], [-(2n ** 63n)]],
    [[1], ['+', 0, 0.5], [1.5]],
    [[1], ['+', 0, new Double(1)], [float64(2)]],
    [[float64(1)], ['+', 0, 1], [float64(2)]],
    [[float32(1.5)], ['+', 0, 1], [float32(2.5)]],
    [[float32(1.5)], ['+', 0, 0.5], [float64(2)]],
    [[6], ['&', 0, 3], [2]],
    [[6], ['|', 0, 2n ** 63n], [2n ** 63n + 6n]],
    [[6], ['^', 0, 3], [5]],
    [['abc'], [':', 0, 1, 1, 'xyz'], ['axyzc']],
    [['abc'], [':', 0, -1, 0, 'd'], ['abcd']],
    [['abc'], [':', 0, 0, -1, ''], ['c']],
  ] as [Plain[], TupleUpdate, Plain[]][]) {
    it(`${operation.slice(0, 3).map(String).join(' ')} makes ${to.map(String)}`, () => {
      equal(hex(tuple(...from).update([operation])), hex(tuple(...to)));
    });
  }

  it('calculates with decimals exactly, and keeps their scale', () => {
    const t = tuple(encode(Decimal.from('12345678901234567890.10')));
    equal(String(t.update([['+', 0, Decimal.from('0.20')]]).get(0)), '12345678901234567890.30');
    equal(String(t.update([['-', 0, 2n ** 63n]]).get(0)), '3122306864379792082.10');
  });

  it('rounds decimals at the digit limit, and refuses infinite results', () => {
    const t = tuple(encode(Decimal.from('9'.repeat(75))));
    equal(String(t.update([['+', 0, Decimal.from('0.06')]]).get(0)), `${'9'.repeat(75)}.1`);
    throws(() => t.update([['+', 0, Number.NaN]]), TypeError);
    const most = tuple(encode(Decimal.from('9'.repeat(76))));
    throws(() => most.update([['+', 0, 1]]), RangeError);
  });

  it('applies operations one after the other', () => {
    equal(
      hex(
        tuple(1).update([
          ['!', 0, 5],
          ['+', 0, 1],
          ['+', -1, 1],
        ]),
      ),
      hex(tuple(6, 2)),
    );
  });

  for (const [title, operation, kind] of [
    ['overflow', ['+', 1, 2n ** 64n - 1n], RangeError],
    ['a sum with a string', ['+', 0, 1], TypeError],
    ['bits below zero', ['&', 1, -1], TypeError],
    ['a splice of a number', [':', 1, 0, 0, 'x'], TypeError],
    ['a splice before the beginning', [':', 0, -9, 0, 'x'], RangeError],
    ['a missing field', ['+', 2, 1], RangeError],
    ['a field before the first', ['=', -3, 1], RangeError],
    ['a count of zero', ['#', 0, 0], RangeError],
    ['an operator that nobody knows', ['*', 1, 1], TypeError],
    ['undefined', ['=', 0, undefined], TypeError],
  ] as [string, TupleUpdate, typeof TypeError][]) {
    it(`refuses ${title}`, () => throws(() => tuple('s', 1).update([operation]), kind));
  }

  it('names the field of an error', () => {
    throws(() => tuple('x').update([['+', 'id', 1]]), /field 'id'/);
    ok(tuple('x').update([]));
  });
});
