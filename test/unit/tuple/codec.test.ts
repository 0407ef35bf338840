import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { decode, encode, type Value } from '../../../lib/tuple/codec.js';
import { Opaque } from '../../../lib/tuple/exact-types.js';
import { bin, coded, ext, float32, float64, type Plain, pack } from '../../support/msgpack.js';

describe('decode', () => {
  for (const [title, bytes, value] of [
    ['nil', pack(null), null],
    ['false', pack(false), false],
    ['true', pack(true), true],
    ['a negative fixint', pack(-32), -32],
    ['an int 8', pack(-128), -128],
    ['an int 32', pack(-(2 ** 31)), -(2 ** 31)],
    ['a uint 32', pack(2 ** 32 - 1), 2 ** 32 - 1],
    ['a small number in a uint 64', coded(0xcf, 8, 1), 1],
    ['2^53 - 1', pack(2 ** 53 - 1), 2 ** 53 - 1],
    ['-(2^53 - 1)', pack(-(2 ** 53) + 1), -(2 ** 53) + 1],
    ['2^53 + 1', pack(2n ** 53n + 1n), 2n ** 53n + 1n],
    ['2^63', pack(2n ** 63n), 2n ** 63n],
    ['2^64 - 1', pack(2n ** 64n - 1n), 2n ** 64n - 1n],
    ['-(2^53 + 1)', pack(-(2n ** 53n) - 1n), -(2n ** 53n) - 1n],
    ['-2^63', pack(-(2n ** 63n)), -(2n ** 63n)],
    ['a float 32', float32(1.5), 1.5],
    ['a float 64', float64(0.1), 0.1],
    ['an infinite float', float64(Number.NEGATIVE_INFINITY), Number.NEGATIVE_INFINITY],
    ['NaN', float64(Number.NaN), Number.NaN],
    ['an empty string', pack(''), ''],
    ['unicode', pack('имя \u{1f600}'), 'имя \u{1f600}'],
    ['a long string', pack('x'.repeat(70_000)), 'x'.repeat(70_000)],
    ['bytes', bin(Buffer.of(0, 0xff)), Buffer.of(0, 0xff)],
    ['containers', pack([1, [2, { a: [3] }]]), [1, [2, { a: [3] }]]],
    [
      'a map with integer keys',
      pack(
        new Map([
          [0, 'a'],
          [17, 'b'],
        ]),
      ),
      { 0: 'a', 17: 'b' },
    ],
  ] as [string, Buffer, Value][]) {
    it(`decodes ${title}`, () => {
      deepEqual(decode(bytes), value);
    });
  }

  it('turns keys of any kind into text', () => {
    for (const [key, text] of [
      [null, 'null'],
      [true, 'true'],
      [1.5, '1.5'],
      [-1, '-1'],
      [[1, 'a'], '0x9201a161'],
      [{ a: 1 }, '0x81a16101'],
      [bin(Buffer.of(7)), '0xc60000000107'],
      ['__proto__', '__proto__'],
    ] as [Plain, string][]) {
      const value = decode(pack(new Map([[key, 1]])));
      deepEqual(Object.entries(value as object), [[text, 1]]);
      equal(Object.getPrototypeOf(value), Object.prototype);
    }
  });

  it('turns keys in keys into text in linear time', () => {
    let key: Plain = "it's";
    for (let depth = 0; depth < 500; depth++) key = new Map([[key, 1]]);
    equal(Object.keys(decode(pack(key)) as object).length, 1);
  });

  it('does not include bytes after an extension of type 114', () => {
    const record = Buffer.from('d47240', 'hex');
    const names: Plain = ['a', 'b'];
    deepEqual(decode(pack([record, names, 1, 2])), [
      new Opaque(0x72, Buffer.of(0x40)),
      ['a', 'b'],
      1,
      2,
    ]);
  });

  it('refuses anything but one whole value', () => {
    const whole = pack([1, { a: 'b' }]);
    for (let cut = 0; cut < whole.length; cut++) {
      throws(() => decode(whole.subarray(0, cut)), RangeError);
    }
    throws(() => decode(Buffer.concat([whole, pack(1)])), RangeError);
    throws(() => decode(Buffer.of(0xc1)), RangeError);
  });

  for (let type = 1; type <= 8; type++) {
    it(`keeps the server's extension ${type} undecoded`, () => {
      for (const payload of [Buffer.alloc(0), Buffer.of(7), Buffer.alloc(16, 9)]) {
        const value = decode(ext(type, payload));
        ok(value instanceof Opaque);
        equal(value.type, type);
        deepEqual(Buffer.from(value.payload), payload);
      }
    });
  }

  it('does not decode an extension that no server sends', () => {
    const misread: string[] = [];
    for (let type = 0; type < 256; type++) {
      if (type >= 1 && type <= 8) continue;
      for (const payload of [Buffer.of(1), Buffer.from('0102030405060708', 'hex')]) {
        let value: unknown;
        try {
          value = decode(ext(type, payload));
        } catch {
          continue;
        }
        if (value instanceof Opaque && (value.type & 0xff) === type) continue;
        misread.push(`${type} as ${String(value)}`);
      }
    }
    deepEqual(misread, []);
  });

  it('refuses bytes that are cut, and extra bytes', () => {
    const whole = pack([1, 'two', { three: 3.5 }]);
    for (const cut of whole.keys()) throws(() => decode(whole.subarray(0, cut)), `cut at ${cut}`);
    throws(() => decode(Buffer.concat([whole, Buffer.of(0)])));
  });
});

describe('encode', () => {
  const kept: readonly Plain[] = [
    null,
    true,
    0,
    -1,
    -32,
    -33,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    5 * 2 ** 30,
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    2n ** 53n + 1n,
    2n ** 64n - 1n,
    -(2n ** 63n),
    0.5,
    '',
    'x'.repeat(40),
    bin(Buffer.alloc(0)),
    bin(Buffer.alloc(300, 7)),
    Array.from({ length: 20 }, (_, i) => i),
    [],
    [1, ['a', null]],
    ...Array.from({ length: 8 }, (_, i) => ext(i + 1, Buffer.alloc(3, 0x55))),
  ];
  for (const value of kept) {
    const bytes = pack(value);
    it(`restores ${bytes.toString('hex', 0, 12)} from the decoded value`, () => {
      const again = encode(decode(bytes));
      deepEqual(decode(again), decode(bytes));
      equal(kindOf(again), kindOf(bytes));
    });
  }

  it('writes a float as a float if no integer can represent it', () => {
    for (const value of [2 ** 70, -(2 ** 70), 1e300, 2 ** 64, 2 ** 53, Infinity, -Infinity]) {
      const bytes = Buffer.concat([Buffer.of(0x91), float64(value)]);
      deepEqual(encode(decode(bytes)), bytes);
    }
  });

  it('refuses an integer from code that may have lost its low bits', () => {
    throws(() => encode([2 ** 53]), /9007199254740992 is not an exact integer/);
  });

  it('writes an extension that was made in code', () => {
    for (const type of [0, 1, 2, 8, 127, -128, -1]) {
      const payload = Buffer.of(1, 2, 3);
      deepEqual(decode(encode(new Opaque(type, payload))), decode(ext(type, payload)));
      equal(kindOf(encode(new Opaque(type, payload))), `extension ${type & 0xff}`);
    }
  });

  it('keeps the order of keys in maps', () => {
    const value = { b: 1, a: { d: 2, c: 3 } };
    deepEqual(decode(encode(value)), value);
    deepEqual(Object.keys(decode(encode(value)) as object), ['b', 'a']);
    deepEqual(decode(encode({})), {});
  });

  it('writes what every server can read: no records, no private extension', () => {
    const encoded = encode([
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
    ]);
    equal(encoded.includes(0xd4), false);
  });
});

/** Returns the type that the server would read: it distinguishes integers from floats, and extensions by type. */
function kindOf(bytes: Buffer): string {
  const code = bytes[0]!;
  if (code <= 0x7f || code >= 0xe0 || (code >= 0xcc && code <= 0xd3)) return 'integer';
  if (code === 0xca || code === 0xcb) return 'float';
  if (code >= 0xc7 && code <= 0xc9) {
    return `extension ${bytes[1 + (1 << (code - 0xc7))]}`;
  }
  if (code >= 0xd4 && code <= 0xd8) return `extension ${bytes[1]}`;
  return 'other';
}
