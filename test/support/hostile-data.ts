/**
 * Tuples that a program which decodes and encodes would change, as raw MessagePack made by hand. The
 * names are for messages; the bytes are what a copy has to have.
 */
export interface HostileTuple {
  name: string;
  /** The whole tuple; `id` is its first field. */
  tuple: (id: number) => Buffer;
  /** The release from which on a server takes it; older ones lack the type. */
  since?: string;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Raw MessagePack, each form by its code: nothing here picks the shortest one. */
export const raw = {
  /** Two bytes up to 0xffff, and always three in all. */
  uint16: (value: number) => Buffer.concat([Buffer.of(0xcd), uint32(value).subarray(2)]),
  uint32: (value: number) => Buffer.concat([Buffer.of(0xce), uint32(value)]),
  double: (value: number) => {
    const bytes = Buffer.alloc(9, 0xcb);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  },
  /** A string with a 32-bit length. */
  str32: (text: string | Buffer) => {
    const bytes = Buffer.from(text as string);
    return Buffer.concat([Buffer.of(0xdb), uint32(bytes.length), bytes]);
  },
  /** Bytes with a 32-bit length. */
  bin32: (bytes: Buffer) => Buffer.concat([Buffer.of(0xc6), uint32(bytes.length), bytes]),
  /** An array with a 16-bit count. */
  array16: (...items: Buffer[]) =>
    Buffer.concat([Buffer.of(0xdc), uint32(items.length).subarray(2), ...items]),
  /** An array with a 32-bit count. */
  array32: (...items: Buffer[]) => Buffer.concat([Buffer.of(0xdd), uint32(items.length), ...items]),
  /** A map of up to 15 pairs, as keys and values in turn. */
  map: (...items: Buffer[]) => Buffer.concat([Buffer.of(0x80 | (items.length / 2)), ...items]),
  /** A string of up to 31 bytes. */
  str: (text: string | Buffer) => {
    const bytes = Buffer.from(text as string);
    return Buffer.concat([Buffer.of(0xa0 | bytes.length), bytes]);
  },
  hex,
};

/** `[id, value]`, where the value is given in hexadecimal. */
const value = (name: string, bytes: string | Buffer, since?: string): HostileTuple => ({
  name,
  tuple: (id) =>
    Buffer.concat([hex('92'), raw.uint16(id), typeof bytes === 'string' ? hex(bytes) : bytes]),
  ...(since === undefined ? {} : { since }),
});

const whole = (name: string, tuple: HostileTuple['tuple']): HostileTuple => ({ name, tuple });

const { map, str } = raw;
const one = hex('01');

export const HOSTILE: readonly HostileTuple[] = [
  // doubles and floats
  value('double 1, which looks like an integer', 'cb 3ff0000000000000'),
  value('double 0', 'cb 0000000000000000'),
  value('double -0', 'cb 8000000000000000'),
  value('double 2^53 + 2', 'cb 4340000000000001'),
  value('double 2^64', 'cb 43f0000000000000'),
  value('the smallest double', 'cb 0000000000000001'),
  value('double infinity', 'cb 7ff0000000000000'),
  value('double -infinity', 'cb fff0000000000000'),
  value('a quiet NaN', 'cb 7ff8000000000000'),
  value('a NaN with a payload', 'cb 7ff8deadbeef0001'),
  value('a signaling NaN', 'cb 7ff0000000000001'),
  value('a negative NaN', 'cb fff8000000000000'),
  value('float32 1', 'ca 3f800000'),
  value('float32 0.1, which is no double 0.1', 'ca 3dcccccd'),
  value('float32 -0', 'ca 80000000'),
  value('a float32 NaN with a payload', 'ca 7fc00001'),
  value('a signaling float32 NaN', 'ca 7f800001'),

  // integers
  value('the largest unsigned', 'cf ffffffffffffffff'),
  value('2^63', 'cf 8000000000000000'),
  value('2^53 + 1', 'cf 0020000000000001'),
  value('the smallest integer', 'd3 8000000000000000'),
  value('-2^53 - 1', 'd3 ffdfffffffffffff'),
  value('5 as uint8', 'cc 05'),
  value('5 as uint16', 'cd 0005'),
  value('5 as uint32', 'ce 00000005'),
  value('5 as uint64', 'cf 0000000000000005'),
  value('5 as int8', 'd0 05'),
  value('5 as int16', 'd1 0005'),
  value('5 as int32', 'd2 00000005'),
  value('5 as int64', 'd3 0000000000000005'),
  value('-1 as int8', 'd0 ff'),
  value('-1 as int64', 'd3 ffffffffffffffff'),

  // strings and bytes
  value("'abc' as str8", 'd9 03 616263'),
  value("'abc' as str16", 'da 0003 616263'),
  value("'abc' as str32", raw.str32('abc')),
  value("'abc' as bin8", 'c4 03 616263'),
  value("'abc' as bin16", 'c5 0003 616263'),
  value("'abc' as bin32", raw.bin32(Buffer.from('abc'))),
  value('no characters as str8', 'd9 00'),
  value('no characters as str32', 'db 00000000'),
  value('no bytes', 'c4 00'),
  value('a string of bytes that are no UTF-8', 'a4 fffe80c0'),
  value('an overlong zero', 'a2 c080'),
  value('half a surrogate pair in UTF-8', 'a3 eda080'),
  value('a cut character', 'a2 e282'),
  value('zero bytes', 'a3 000000'),
  value('a byte order mark', 'a4 efbbbf61'),
  value('composed and decomposed letters', 'a5 c3bc 75cc88'),

  // arrays and maps
  value('an empty array with 16 bits', 'dc 0000'),
  value('an empty array with 32 bits', 'dd 00000000'),
  value('[1, 2] with 16 bits', raw.array16(one, one)),
  value('[1, [1]] with 32 bits', raw.array32(one, raw.array32(one))),
  value('an empty map with 16 bits', 'de 0000'),
  value('an empty map with 32 bits', 'df 00000000'),
  value('{b: 1, a: 1}', map(str('b'), one, str('a'), one)),
  value('{10: 1, 9: 1, 1: 1}', '83 0a01 0901 0101'),
  value("{1: 1, '1': 1}", map(hex('01'), one, str('1'), one)),
  value('{1: 1, 1 as uint64: 1, 1.0: 1}', '83 0101 cf000000000000000101 cb3ff000000000000001'),
  value('a map with one key three times', '83 a16101 a16102 a16103'),
  value('a map with the keys nil, false, -1 and NaN', '84 c001 c201 ff01 cb7ff800000000000001'),
  value('a map with an array, a map and bytes as keys', '83 920102 01 810102 01 c40161 01'),
  value(
    "a map with the keys '__proto__' and 'constructor'",
    map(str('__proto__'), one, str('constructor'), one),
  ),
  value('arrays 129 deep', Buffer.concat([Buffer.alloc(129, 0x91), one])),
  value('arrays 20,000 deep', Buffer.concat([Buffer.alloc(20_000, 0x91), one])),
  value('maps 300 deep', Buffer.concat([...Array(300).fill(hex('81 a16b')), one])),

  // extension types of the server
  value('decimal 1.5', 'c7 03 01 01 015c'),
  value('decimal 1.50, with its zero', 'c7 03 01 02 150c'),
  value('decimal 1.5 with leading zeros', 'c7 04 01 01 00015c'),
  value('decimal -0', 'd5 01 00 0d'),
  value('a decimal of 38 digits', `c7 15 01 00 0${'9'.repeat(38)}c`),
  value('a uuid', 'd8 02 00112233445566778899aabbccddeeff'),
  value('the nil uuid', 'd8 02 00000000000000000000000000000000'),
  value('a uuid in ext8', 'c7 10 02 00112233445566778899aabbccddeeff'),
  value('a datetime', 'd7 04 8046a66500000000', '2.10'),
  value('a datetime with its zone', 'd8 04 8046a66500000000 01000000 b4000000', '2.10'),
  value('a datetime before the epoch', 'd7 04 00000080ffffffff', '2.10'),
  value('an interval', 'c7 03 06 01 02 03', '2.10'),
  value('an empty interval', 'd4 06 00', '2.10'),
  value(
    'an error',
    'c7 1d 03 81 00 91 86 00 ab 436c69656e744572726f72 01 a178 02 01 03 a178 04 00 05 01',
  ),

  // extension types that no server knows
  value('an extension of type 9', 'd4 09 aa'),
  value('an extension of type 100 and 2 bytes', 'd5 64 aabb'),
  value('an extension of type 127 and 4 bytes', 'd6 7f aabbccdd'),
  value('an extension of type 50 and 8 bytes', 'd7 32 0102030405060708'),
  value('an extension of type 50 and 16 bytes', `d8 32 ${'ab'.repeat(16)}`),
  value('an extension without bytes', 'c7 00 32'),
  value('an extension in ext16', 'c8 0001 32 aa'),
  value('an extension in ext32', 'c9 00000001 32 aa'),
  value('a timestamp of the MessagePack specification', 'd6 ff 65a64680'),
  value('an extension of type -128', 'd4 80 00'),
  value("a record of the JavaScript library msgpackr's", 'd4 72 40'),

  // the tuple itself
  whole('no field but the key', (id) => Buffer.concat([hex('91'), raw.uint16(id)])),
  whole('trailing nulls', (id) => Buffer.concat([hex('95'), raw.uint16(id), hex('01 c0 c0 c0')])),
  whole('a key as uint64', (id) => Buffer.concat([hex('92 cf 00000000'), uint32(id), one])),
  whole('a header with 16 bits', (id) => raw.array16(raw.uint16(id), one)),
  whole('a header with 32 bits', (id) => raw.array32(raw.uint32(id), one)),
  whole('a thousand fields', (id) =>
    raw.array16(raw.uint16(id), ...Array<Buffer>(999).fill(hex('cc 07'))),
  ),
  whole('a string of 300 kB', (id) =>
    Buffer.concat([hex('92'), raw.uint16(id), raw.str32('ü'.repeat(150_000))]),
  ),
];
