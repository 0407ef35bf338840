import { bin, ext, float32, float64, type Plain, pack } from '../../support/msgpack.js';

const NO_UUID = '64d22e4dac924a23899ae59f34af5479';

/** A value of type `MP_ERROR` with one error in its stack, see `src/box/mp_error.cc`. */
const error = pack(
  new Map([
    [
      0,
      [
        new Map<Plain, Plain>([
          [0, 'ClientError'],
          [2, 5],
          [3, 'no'],
          [6, { a: 1 }],
        ]),
      ],
    ],
  ]),
);

function datetime(seconds: bigint, nanoseconds = 0, offset = 0, zone = 0): Buffer {
  const payload = Buffer.alloc(16);
  payload.writeBigInt64LE(seconds);
  payload.writeInt32LE(nanoseconds, 8);
  payload.writeInt16LE(offset, 12);
  payload.writeInt16LE(zone, 14);
  return ext(4, payload);
}

export const UUID = ext(2, Buffer.from(NO_UUID, 'hex'));
export const DATETIME = datetime(1_709_197_200n, 1, 180, 947);
export const DECIMAL = ext(1, Buffer.from('021234567d', 'hex'));
export const INTERVAL = ext(6, Buffer.of(3, 1, 1, 3, 0xfd, 8, 1));

/** Values of each type with their text in JSON, and in CSV if it differs. */
export const FORMS: readonly [what: string, value: Plain, json: string, csv?: string][] = [
  ['null', null, 'null', ''],
  ['false', false, 'false'],
  ['true', true, 'true'],
  ['zero', 0, '0'],
  ['a small integer', 42, '42'],
  ['an integer of nine digits', 999_999_999, '999999999'],
  ['an integer of ten digits', 1_000_000_000, '1000000000'],
  ['a negative integer', -1, '-1'],
  ['the largest integer', 2n ** 64n - 1n, '18446744073709551615'],
  ['the smallest integer', -(2n ** 63n), '-9223372036854775808'],
  ['an integer beyond 2^53', 2n ** 53n + 1n, '9007199254740993'],
  ['a double', float64(0.1), '0.1'],
  ['a whole double', float64(1), '1.0'],
  ['a large double', float64(1e30), '1e+30'],
  ['the smallest double', float64(5e-324), '5e-324'],
  ['a double that is minus zero', float64(-0), '-0.0'],
  ['no number', float64(Number.NaN), '"NaN"', 'NaN'],
  ['infinity', float64(Number.POSITIVE_INFINITY), '"Infinity"', 'Infinity'],
  ['minus infinity', float64(Number.NEGATIVE_INFINITY), '"-Infinity"', '-Infinity'],
  ['a float', float32(0.1), '0.10000000149011612'],
  ['a decimal', DECIMAL, '"-12345.67"', '-12345.67'],
  [
    'a decimal of 76 digits',
    ext(1, Buffer.from(`00${'0'}${'9'.repeat(76)}c`, 'hex')),
    `"${'9'.repeat(76)}"`,
    '9'.repeat(76),
  ],
  ['an empty string', '', '""'],
  ['a string', 'one', '"one"', 'one'],
  ['a string with signs', 'a"b\\c,d', '"a\\"b\\\\c,d"', '"a""b\\c,d"'],
  [
    'a string of lines',
    'a\nb\r\n\tc\u0001\u007f',
    '"a\\nb\\r\\n\\tc\\u0001\\u007f"',
    '"a\nb\r\n\tc\u0001\u007f"',
  ],
  ['a string with a zero byte', 'a\0', '"a\\u0000"', 'a\0'],
  ['a string of many scripts', 'größe 😀 Я', '"größe 😀 Я"', 'größe 😀 Я'],
  ['a long string', 'x'.repeat(70_000), `"${'x'.repeat(70_000)}"`, 'x'.repeat(70_000)],
  ['an empty binary value', bin(Buffer.alloc(0)), '""'],
  ['a binary value', bin(Buffer.of(0, 255)), '"AP8="', 'AP8='],
  [
    'a uuid',
    UUID,
    '"64d22e4d-ac92-4a23-899a-e59f34af5479"',
    '64d22e4d-ac92-4a23-899a-e59f34af5479',
  ],
  ['a datetime', datetime(0n), '"1970-01-01T00:00:00Z"', '1970-01-01T00:00:00Z'],
  [
    'a datetime with all that it can have',
    DATETIME,
    '"2024-02-29T12:00:00.000000001+03:00[Europe/Moscow]"',
    '2024-02-29T12:00:00.000000001+03:00[Europe/Moscow]',
  ],
  [
    'a datetime in a zone that no server names',
    datetime(0n, 0, 0, 1024),
    '"1970-01-01T00:00:00Z[1024]"',
    '1970-01-01T00:00:00Z[1024]',
  ],
  [
    'an interval',
    INTERVAL,
    '{"month":1,"day":-3,"adjust":1}',
    '"{""month"":1,""day"":-3,""adjust"":1}"',
  ],
  ['an empty array', [], '[]', '"[]"'],
  ['an array', [1, [null, 'a']], '[1,[null,"a"]]', '"[1,[null,""a""]]"'],
  ['an empty map', {}, '{}', '"{}"'],
  ['a map', { b: 1, a: [true] }, '{"b":1,"a":[true]}', '"{""b"":1,""a"":[true]}"'],
  [
    'a map with keys that are no strings',
    new Map<Plain, Plain>([
      [1, 'a'],
      ['x', null],
    ]),
    '{"$map":[[1,"a"],["x",null]]}',
    '"{""$map"":[[1,""a""],[""x"",null]]}"',
  ],
  [
    'a map with a key that occurs twice',
    Buffer.from('82a16101a16102', 'hex'),
    '{"$map":[["a",1],["a",2]]}',
    '"{""$map"":[[""a"",1],[""a"",2]]}"',
  ],
  [
    'a map that reads like a form of ours',
    { $map: [] },
    '{"$map":[["$map",[]]]}',
    '"{""$map"":[[""$map"",[]]]}"',
  ],
  [
    'an error',
    ext(3, error),
    '{"$error":[{"type":"ClientError","line":5,"message":"no","fields":{"a":1}}]}',
    '"{""$error"":[{""type"":""ClientError"",""line"":5,""message"":""no"",""fields"":{""a"":1}}]}"',
  ],
  [
    'an error of no known form',
    ext(3, Buffer.of(0x80)),
    '{"$ext":[3,"gA=="]}',
    '"{""$ext"":[3,""gA==""]}"',
  ],
  [
    'an unknown extension',
    ext(100, Buffer.of(1, 2)),
    '{"$ext":[100,"AQI="]}',
    '"{""$ext"":[100,""AQI=""]}"',
  ],
];

/** A string with the byte 0xff, which is never valid in UTF-8. */
export const NOT_UTF8 = Buffer.of(0xa2, 0x61, 0xff);
