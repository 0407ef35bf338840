import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import {
  fieldBytes,
  joinFields,
  type PathStep,
  parsePath,
  splitFields,
} from '../../../lib/tuple/fields.js';
import { bin, coded, ext, float32, float64, type Plain, pack } from '../../support/msgpack.js';

const TUPLES: readonly Plain[][] = [
  [],
  [null],
  [1, 'two', [3, [4]], { five: 6 }, true, -7],
  [bin(Buffer.from('raw')), ext(2, Buffer.alloc(16)), float32(1), float64(1), 2n ** 64n - 1n],
  [coded(0xcf, 8, 1), coded(0xdb, 4, 0), coded(0xdc, 2, 0), coded(0xdf, 4, 0)],
  Array.from({ length: 15 }, (_, i) => i),
  Array.from({ length: 16 }, (_, i) => i),
  Array.from({ length: 70_000 }, (_, i) => i),
];

const hexOf = (fields: readonly Buffer[]): string =>
  fields.map((field) => field.toString('hex')).join();

describe('splitFields', () => {
  it('returns the unchanged bytes of each field, as views', () => {
    for (const fields of TUPLES) {
      const tuple = pack(fields);
      const split = splitFields(tuple);
      equal(hexOf(split), hexOf(fields.map(pack)));
      for (const field of split.slice(0, 10)) equal(field.buffer, tuple.buffer);
    }
  });

  it('accepts headers that are longer than needed', () => {
    for (const head of [coded(0xdc, 2, 2), coded(0xdd, 4, 2)]) {
      deepEqual(splitFields(Buffer.concat([head, pack(1), pack('x')])), [pack(1), pack('x')]);
    }
  });
});

describe('joinFields', () => {
  it('reverses splitFields', () => {
    for (const fields of TUPLES) ok(joinFields(splitFields(pack(fields))).equals(pack(fields)));
  });
});

describe('fieldBytes', () => {
  const map = new Map<Plain, Plain>([
    ['name', 'alice'],
    [1, 'by one'],
    [coded(0xcd, 2, 2), 'by a long two'],
    ['1', 'by text one'],
    [-1, 'by minus one'],
  ]);
  const thrice = Buffer.concat([Buffer.of(0x84), ...['k', 1, 'k', 2, 'k', 3, 'l', 4].map(pack)]);
  const longKey = Buffer.concat([Buffer.of(0x81), coded(0xdb, 4, 1), Buffer.from('k'), pack('v')]);
  const list = ['zero', ['one', { deep: 'two' }], map];
  const tuple = pack([10, 'text', map, list, thrice, longKey, null, []]);

  for (const [title, field, path, expected] of [
    ['a whole field', 0, [], 10],
    ['a whole container', 3, [], list],
    ['nil', 6, [], null],
    ['an empty array', 7, [], []],
    ['a key of a map', 2, ['name'], 'alice'],
    ['an integer key, which paths count from one', 2, [0], 'by one'],
    ['an integer key in a longer form', 2, [1], 'by a long two'],
    ['a text key that looks like a number', 2, ['1'], 'by text one'],
    ['a text key in a longer form', 5, ['k'], 'v'],
    ['the last of equal keys, as the server does', 4, ['k'], 3],
    ['a position in an array', 3, [0], 'zero'],
    ['an array in an array', 3, [1, 0], 'one'],
    ['a map in an array in an array', 3, [1, 1, 'deep'], 'two'],
    ['a map in an array', 3, [2, 'name'], 'alice'],
  ] as [string, number, PathStep[], Plain][]) {
    it(`finds ${title}`, () => {
      deepEqual(fieldBytes(tuple, field, path), pack(expected));
    });
  }

  for (const [title, field, path] of [
    ['a field after the last one', 8, []],
    ['a path after the last field', 8, ['name']],
    ['a key that the map has not', 2, ['nobody']],
    ['a key that a key of the map starts with', 2, ['nam']],
    ['a key that starts with a key of the map', 2, ['names']],
    ['an integer key that the map has not', 2, [2]],
    ['a position after the last one', 3, [3]],
    ['a position in an empty array', 7, [0]],
    ['a key in an array', 3, ['zero']],
    ['a key in a number', 0, ['name']],
    ['a position in a string', 1, [0]],
    ['a key in nil', 6, ['name']],
    ['a key in what a missing key leads to', 2, ['nobody', 'name']],
    ['a step beyond the end of a path', 2, ['name', 'name']],
  ] as [string, number, PathStep[]][]) {
    it(`finds nothing for ${title}`, () => {
      equal(fieldBytes(tuple, field, path), undefined);
    });
  }
});

describe('parsePath', () => {
  for (const [path, steps] of [
    ['', []],
    ['name', ['name']],
    ['.name', ['name']],
    ['a.b.c', ['a', 'b', 'c']],
    ['.a.b', ['a', 'b']],
    ['[1]', [0]],
    ['[12][3]', [11, 2]],
    ['a[1].b', ['a', 0, 'b']],
    ['[1].a', [0, 'a']],
    ['["key"]', ['key']],
    ["['key']", ['key']],
    ['["a.b"]["c d"]', ['a.b', 'c d']],
    ['["[1]"]', ['[1]']],
    [`["it's"]`, ["it's"]],
    [`['say "hi"']`, ['say "hi"']],
    ['[""]', ['']],
    ['a["b"][2].c', ['a', 'b', 1, 'c']],
    ['.address[2]["zip code"]', ['address', 1, 'zip code']],
    ['имя', ['имя']],
    ['.ключ["значение"]', ['ключ', 'значение']],
    ['\u{1f600}', ['\u{1f600}']],
    ['_x1', ['_x1']],
  ] as const) {
    it(`reads ${JSON.stringify(path)}`, () => {
      deepEqual(parsePath(path), steps);
    });
  }

  for (const [path, at] of [
    ['.', 0],
    ['a.', 1],
    ['..a', 0],
    ['a..b', 1],
    ['[', 0],
    ['[]', 0],
    ['[1', 0],
    ['a[1', 1],
    ['a]', 1],
    ['[a]', 0],
    ['[-1]', 0],
    ['[1.5]', 0],
    ['[*]', 0],
    ['["a]', 0],
    [`["a']`, 0],
    ['["a"', 0],
    ['[ 1]', 0],
    ['a[0]', 1],
    ['[0]', 0],
    ['[00]', 0],
  ] as const) {
    it(`refuses ${JSON.stringify(path)} and says where`, () => {
      throws(() => parsePath(path), {
        name: 'RangeError',
        message: `cannot read the JSON path '${path}' at character ${at}`,
      });
    });
  }
});
