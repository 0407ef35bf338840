import { deepEqual, equal, ok } from 'node:assert/strict';
import { extractKey, showKey } from '../../../../lib/schema/catalog/keys.js';
import { bin, coded, ext, float64, pack } from '../../../support/msgpack.js';
import { DATETIME, DECIMAL, UUID } from '../../text/values.js';

describe('extractKey', () => {
  const map = { a: [1, { b: bin(Buffer.of(0xff)) }] };
  const tuple = pack([coded(0xcf, 8, 7), 'x', map, float64(1), null]);

  for (const [title, parts, expected] of [
    ['a field in its own encoding', [{ fieldNo: 0, path: [] }], [coded(0xcf, 8, 7)]],
    [
      'fields in the order of the parts',
      [
        { fieldNo: 3, path: [] },
        { fieldNo: 1, path: [] },
      ],
      [float64(1), 'x'],
    ],
    [
      'the value at the end of a path',
      [{ fieldNo: 2, path: ['a', 1, 'b'] }],
      [bin(Buffer.of(0xff))],
    ],
    ['nil', [{ fieldNo: 4, path: [] }], [null]],
    ['no part', [], []],
  ] as const) {
    it(`extracts ${title}`, () => {
      deepEqual(extractKey(tuple, parts as never), pack(expected));
    });
  }

  it('returns undefined if a part is missing', () => {
    equal(extractKey(tuple, [{ fieldNo: 5, path: [] }]), undefined);
    equal(
      extractKey(tuple, [
        { fieldNo: 0, path: [] },
        { fieldNo: 2, path: ['nothing'] },
      ]),
      undefined,
    );
  });
});

describe('showKey', () => {
  for (const [key, shown] of [
    [[512, 'pk'], '[512,"pk"]'],
    [[], '[]'],
    [[null, true, -1.5], '[null,true,-1.5]'],
    [[2n ** 64n - 1n], '[18446744073709551615]'],
    [[-(2n ** 63n)], '[-9223372036854775808]'],
    [[float64(1), float64(Number.NaN), float64(-1 / 0)], '[1.0,NaN,-Infinity]'],
    [[UUID], '[64d22e4d-ac92-4a23-899a-e59f34af5479]'],
    [[DECIMAL], '[-12345.67]'],
    [[DATETIME], '[2024-02-29T12:00:00.000000001+03:00]'],
    [[bin(Buffer.of(0, 255))], '[0x00ff]'],
    [[{ a: [1] }], '[{"a":[1]}]'],
    [[ext(100, Buffer.of(1))], '[<extension 100>]'],
    [['\u009b2J'], '["\\u009b2J"]'],
    [['line\nbreak'], '["line\\nbreak"]'],
  ] as const) {
    it(`shows ${shown}`, () => {
      equal(showKey(pack(key)), shown);
    });
  }

  it('shows any key on one line of limited length', () => {
    for (const part of [
      bin(Buffer.from('\n')),
      ext(2, Buffer.alloc(16)),
      ext(1, Buffer.of(0, 0x1c)),
      float64(Number.NaN),
      pack('x'.repeat(10_000)),
      bin(Buffer.alloc(10_000)),
      ext(100, Buffer.alloc(10_000)),
      pack(Array(10_000).fill([])),
    ]) {
      const shown = showKey(pack([part]));
      ok(!shown.includes('\n') && shown.length <= 201, shown);
    }
  });
});
