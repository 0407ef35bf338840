import { deepEqual, equal } from 'node:assert/strict';
import { addPair, editArray, editMap } from '../../../lib/tuple/edit.js';
import { bin, coded, ext, float64, type Plain, pack } from '../../support/msgpack.js';

/** Values that a decoder and an encoder would change. */
const ODD: Plain[] = [coded(0xcf, 8, 1), float64(1), bin(Buffer.of(1)), ext(1, Buffer.of(0, 0x1c))];

const map = (...pairs: [Plain, Plain][]): Buffer => pack(new Map(pairs));
const without =
  (...gone: (string | undefined)[]) =>
  (key: string | undefined, value: Buffer): Buffer | undefined =>
    gone.includes(key) ? undefined : value;

describe('editMap', () => {
  it('passes each pair: its key if that is a string, and its raw value', () => {
    const seen: [string | undefined, string][] = [];
    const raw = map(['a', 1], [7, 'x'], [null, []], ['ключ', ODD[0]!], [coded(0xd9, 1, 0), true]);
    editMap(raw, (key, value) => {
      seen.push([key, value.toString('hex')]);
      return value;
    });
    deepEqual(seen, [
      ['a', '01'],
      [undefined, 'a178'],
      [undefined, '90'],
      ['ключ', 'cf0000000000000001'],
      ['', 'c3'],
    ]);
  });

  for (const [title, raw, edit, expected] of [
    ['the first pair', map(['a', 1], ['b', 2]), without('a'), map(['b', 2])],
    ['the last pair', map(['a', 1], ['b', 2]), without('b'), map(['a', 1])],
    ['all pairs', map(['a', 1], ['b', 2]), without('a', 'b'), map()],
    [
      'a key that occurs twice',
      map(['a', 1], ['b', 2], [pack('a'), 3]),
      without('a'),
      map(['b', 2]),
    ],
    ['keys that are no strings', map([1, 1], ['b', 2]), without(undefined), map(['b', 2])],
  ] as [string, Buffer, Parameters<typeof editMap>[1], Buffer][]) {
    it(`removes ${title}`, () => {
      equal(editMap(raw, edit).toString('hex'), expected.toString('hex'));
    });
  }

  it('keeps the bytes of all other pairs', () => {
    const odd = ODD.map((value, i): [Plain, Plain] => [i % 2 === 0 ? `k${i}` : value, value]);
    const edited = editMap(map(['gone', 1], ...odd), without('gone'));
    equal(edited.toString('hex'), map(...odd).toString('hex'));
  });

  it('replaces a value', () => {
    const edited = editMap(map(['a', 1], ['b', [2]], ['c', 3]), (key, value) =>
      key === 'b' ? pack('new') : value,
    );
    equal(edited.toString('hex'), map(['a', 1], ['b', 'new'], ['c', 3]).toString('hex'));
  });

  it('accepts headers of each form, and writes the shortest', () => {
    const pairs = Array.from({ length: 17 }, (_, i): [Plain, Plain] => [`k${i}`, i]);
    for (const head of [coded(0xde, 2, 17), coded(0xdf, 4, 17)]) {
      const raw = Buffer.concat([head, ...pairs.flat().map(pack)]);
      equal(editMap(raw, without('k0')).toString('hex'), map(...pairs.slice(1)).toString('hex'));
      equal(
        editMap(raw, without('k0', 'k1')).toString('hex'),
        map(...pairs.slice(2)).toString('hex'),
      );
    }
  });

  it('returns the same buffer if nothing changed, and for anything but a map', () => {
    const edit = (_key: string | undefined, value: Buffer): Buffer => value;
    for (const raw of [map(), map(['a', 1]), coded(0xde, 2, 0)]) equal(editMap(raw, edit), raw);
    for (const value of [null, 1, '', [1], ...ODD]) {
      const raw = pack(value);
      equal(
        editMap(raw, () => undefined),
        raw,
      );
    }
    const empty = Buffer.alloc(0);
    equal(
      editMap(empty, () => undefined),
      empty,
    );
  });
});

describe('addPair', () => {
  it('adds a pair at the end, whatever the size of the map is', () => {
    for (const [size, head, longer] of [
      [0, Buffer.of(0x80), Buffer.of(0x81)],
      [14, Buffer.of(0x8e), Buffer.of(0x8f)],
      [15, Buffer.of(0x8f), coded(0xde, 2, 16)],
      [16, coded(0xde, 2, 16), coded(0xde, 2, 17)],
      [65_535, coded(0xde, 2, 65_535), coded(0xdf, 4, 65_536)],
      [65_536, coded(0xdf, 4, 65_536), coded(0xdf, 4, 65_537)],
    ] as const) {
      const pairs = Buffer.alloc(2 * size, 7); // each is the pair of 7 and 7
      const raw = addPair(Buffer.concat([head, pairs]), 'key', pack([1]));
      const expected = Buffer.concat([longer, pairs, pack('key'), pack([1])]);
      equal(raw.equals(expected), true, String(size));
    }
  });

  it('accepts headers that are longer than needed', () => {
    const raw = Buffer.concat([coded(0xdf, 4, 1), pack('a'), pack(1)]);
    equal(addPair(raw, 'b', pack(2)).toString('hex'), map(['a', 1], ['b', 2]).toString('hex'));
  });
});

describe('editArray', () => {
  it('passes each element, and keeps the bytes of unchanged ones', () => {
    const raw = pack([1, ...ODD, 'x', [2]]);
    const edited = editArray(raw, (element) => (element.equals(pack('x')) ? pack('new') : element));
    equal(edited.toString('hex'), pack([1, ...ODD, 'new', [2]]).toString('hex'));
  });

  it('returns the same buffer if nothing changed, and for anything but an array', () => {
    const same = (element: Buffer): Buffer => element;
    for (const raw of [pack([]), pack([1, [2]]), coded(0xdc, 2, 0)]) {
      equal(editArray(raw, same), raw);
    }
    for (const value of [null, 1, 'x', { a: 1 }, ...ODD]) {
      const raw = pack(value);
      equal(
        editArray(raw, () => pack('new')),
        raw,
      );
    }
    const empty = Buffer.alloc(0);
    equal(
      editArray(empty, () => pack('new')),
      empty,
    );
  });
});
