import { deepEqual, equal, ok } from 'node:assert/strict';
import { unpack } from 'msgpackr';
import {
  arrayHeader,
  countValues,
  headerSize,
  INCOMPLETE,
  INVALID,
  isArray,
  isMap,
  isString,
  mapHeader,
  memberCount,
  readUint,
  skip,
  skipTuple,
  str,
  stringBytes,
  uint,
} from '../../../lib/tuple/msgpack.js';
import { bin, coded, type Plain, pack } from '../../support/msgpack.js';

const filled = (size: number): Buffer => Buffer.alloc(size, 0xc1); // 0xc1: an error if it is read

/** A type code, the contents of its value, and nothing after it. */
interface Sample {
  title: string;
  code: number;
  bytes: Buffer;
}

const samples: Sample[] = [];
function sample(title: string, ...parts: Buffer[]): void {
  const bytes = Buffer.concat(parts);
  samples.push({ title, code: bytes[0]!, bytes });
}

for (let n = 0; n <= 0x7f; n++) sample(`positive fixint ${n}`, Buffer.of(n));
for (let n = 0; n < 16; n++) {
  const head = Buffer.of(0x80 + n);
  sample(
    `fixmap of ${n}`,
    head,
    ...Array.from({ length: n }, (_, i) => pack([i, 'v']).subarray(1)),
  );
}
for (let n = 0; n < 16; n++) {
  sample(`fixarray of ${n}`, Buffer.of(0x90 + n), ...Array(n).fill(pack('ab')));
}
for (let n = 0; n < 32; n++) sample(`fixstr of ${n}`, Buffer.of(0xa0 + n), filled(n));
for (const [name, code] of [
  ['nil', 0xc0],
  ['false', 0xc2],
  ['true', 0xc3],
] as const) {
  sample(name, Buffer.of(code));
}
for (const [name, code, payload] of [
  ['float 32', 0xca, 4],
  ['float 64', 0xcb, 8],
  ['uint 8', 0xcc, 1],
  ['uint 16', 0xcd, 2],
  ['uint 32', 0xce, 4],
  ['uint 64', 0xcf, 8],
  ['int 8', 0xd0, 1],
  ['int 16', 0xd1, 2],
  ['int 32', 0xd2, 4],
  ['int 64', 0xd3, 8],
  ['fixext 1', 0xd4, 2],
  ['fixext 2', 0xd5, 3],
  ['fixext 4', 0xd6, 5],
  ['fixext 8', 0xd7, 9],
  ['fixext 16', 0xd8, 17],
] as const) {
  sample(name, Buffer.of(code), filled(payload));
}
for (const [name, code, width, extra] of [
  ['bin 8', 0xc4, 1, 0],
  ['bin 16', 0xc5, 2, 0],
  ['bin 32', 0xc6, 4, 0],
  ['ext 8', 0xc7, 1, 1],
  ['ext 16', 0xc8, 2, 1],
  ['ext 32', 0xc9, 4, 1],
  ['str 8', 0xd9, 1, 0],
  ['str 16', 0xda, 2, 0],
  ['str 32', 0xdb, 4, 0],
] as const) {
  for (const length of [0, 1, 200, ...(width > 1 ? [300] : []), ...(width > 2 ? [70_000] : [])]) {
    sample(`${name} of ${length}`, coded(code, width, length), filled(length + extra));
  }
}
for (const [name, code, width, values] of [
  ['array 16', 0xdc, 2, 1],
  ['array 32', 0xdd, 4, 1],
  ['map 16', 0xde, 2, 2],
  ['map 32', 0xdf, 4, 2],
] as const) {
  for (const length of [0, 1, 300]) {
    const members = Array(length * values).fill(pack('m'));
    sample(`${name} of ${length}`, coded(code, width, length), ...members);
  }
}
for (let n = -32; n < 0; n++) sample(`negative fixint ${n}`, Buffer.of(256 + n));

function nested(depth: number, opening: Buffer, innermost: Buffer): Buffer {
  return Buffer.concat([...Array(depth).fill(opening), innermost]);
}

describe('skip', () => {
  it('is tested with every type code', () => {
    const codes = new Set(samples.map(({ code }) => code));
    deepEqual(
      Array.from({ length: 256 }, (_, code) => code).filter((code) => !codes.has(code)),
      [0xc1],
    );
  });

  it('finds the end of each value, whatever comes before and after it', () => {
    for (const { title, bytes } of samples) {
      equal(skip(bytes, 0, bytes.length), bytes.length, title);
      const surrounded = Buffer.concat([filled(3), bytes, filled(3)]);
      equal(skip(surrounded, 3, surrounded.length), 3 + bytes.length, `${title}, surrounded`);
    }
  });

  it('returns INCOMPLETE at every cut of each value, by the buffer and by the given end', () => {
    for (const { title, bytes } of samples) {
      const cuts = bytes.length > 1000 ? [0, 1, 4, 5, 6, 999, bytes.length - 1] : bytes.keys();
      for (const cut of cuts) {
        equal(skip(bytes.subarray(0, cut), 0, cut), INCOMPLETE, `${title}, cut at ${cut}`);
        equal(skip(bytes, 0, cut), INCOMPLETE, `${title}, end at ${cut}`);
      }
    }
  });

  it('returns INVALID for 0xc1, also inside of containers', () => {
    for (const hex of ['c1', '91c1', '9201c1', '81c101', '8101c1', '929201c1c0', 'dc0001c1']) {
      const bytes = Buffer.from(`${hex}0000`, 'hex');
      equal(skip(bytes, 0, bytes.length), INVALID, hex);
    }
  });

  it('agrees with msgpackr on generated values', () => {
    let state = 1;
    const random = (limit: number): number => {
      state = (state * 48271) % 0x7fffffff; // a fixed sequence
      return state % limit;
    };
    const value = (depth: number): Plain => {
      switch (random(depth > 4 ? 6 : 8)) {
        case 0:
          return random(1 << 30) - (1 << 29);
        case 1:
          return 'é'.repeat(random(300));
        case 2:
          return bin(Buffer.alloc(random(300)));
        case 3:
          return random(1000) / 7;
        case 4:
          return random(2) === 0;
        case 5:
          return null;
        case 6:
          return Array.from({ length: random(20) }, () => value(depth + 1));
        default:
          return Object.fromEntries(
            Array.from({ length: random(20) }, (_, i) => [`k${i}`, value(depth + 1)]),
          );
      }
    };
    for (let i = 0; i < 300; i++) {
      const bytes = pack(value(0));
      equal(skip(bytes, 0, bytes.length), bytes.length);
      unpack(bytes); // throws if bytes are left
    }
  });

  it('does not trust a count or a length that does not fit into the buffer', () => {
    for (const [title, bytes] of [
      ['str 32 of 4 GiB', coded(0xdb, 4, 0xffffffff)],
      ['bin 32 of 4 GiB', coded(0xc6, 4, 0xffffffff)],
      ['ext 32 of 4 GiB', coded(0xc9, 4, 0xffffffff)],
      ['array 32 of 2^32 - 1', coded(0xdd, 4, 0xffffffff)],
      ['map 32 of 2^32 - 1', coded(0xdf, 4, 0xffffffff)],
      ['maps of 2^32 - 1 in maps', nested(100_000, coded(0xdf, 4, 0xffffffff), Buffer.of(0))],
      ['arrays of 65,535 in arrays', nested(100_000, coded(0xdc, 2, 0xffff), Buffer.of(0))],
    ] as const) {
      const rest = Buffer.concat([bytes, Buffer.alloc(1_000_000)]);
      equal(skip(rest, 0, rest.length), INCOMPLETE, title);
    }
  });

  it('stops at the header of an impossible count, without walking the rest', () => {
    const walked: number[] = [];
    const bytes = new Proxy(Buffer.concat([coded(0xdd, 4, 5000), Buffer.alloc(4000)]), {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) walked.push(Number(key));
        return Reflect.get(target, key);
      },
    });
    equal(skip(bytes, 0, 4005), INCOMPLETE);
    ok(Math.max(...walked) < 5, `looked at byte ${Math.max(...walked)}`);
  });

  it('accepts any nesting without recursion', () => {
    for (const [title, opening] of [
      ['fixarrays', Buffer.of(0x91)],
      ['array 32s', coded(0xdd, 4, 1)],
      ['maps', Buffer.of(0x81, 0xc0)],
      ['map 32s', Buffer.concat([coded(0xdf, 4, 1), Buffer.of(0xc0)])],
    ] as const) {
      const bytes = nested(100_000, opening, Buffer.of(0xc0));
      equal(skip(bytes, 0, bytes.length), bytes.length, title);
      equal(skip(bytes, 0, bytes.length - 1), INCOMPLETE, title);
    }
  });
});

describe('skipTuple', () => {
  it('accepts only arrays', () => {
    for (const { title, code, bytes } of samples) {
      const isTuple = title.includes('array');
      equal(isArray(code), isTuple, title);
      equal(skipTuple(bytes, 0, bytes.length), isTuple ? bytes.length : INVALID, title);
    }
    equal(skipTuple(Buffer.of(0xc1), 0, 1), INVALID);
  });

  it('returns INCOMPLETE for a cut array, and at the end of the buffer', () => {
    const tuple = pack([1, 'two', [3]]);
    for (const cut of tuple.keys()) equal(skipTuple(tuple, 0, cut), INCOMPLETE, `cut at ${cut}`);
    equal(skipTuple(tuple, tuple.length, tuple.length), INCOMPLETE);
  });

  it('returns INVALID for an array with an invalid value in it', () => {
    equal(skipTuple(Buffer.of(0x91, 0xc1), 0, 2), INVALID);
  });
});

describe('headers', () => {
  it('return their kind, size and count', () => {
    for (const { title, code, bytes } of samples) {
      const kind = /(array|map|str)/.exec(title)?.[1];
      equal(isArray(code), kind === 'array', title);
      equal(isMap(code), kind === 'map', title);
      equal(isString(code), kind === 'str', title);
      if (kind !== 'array' && kind !== 'map') continue;
      equal(memberCount(bytes, 0), Number(/ of (\d+)$/.exec(title)?.[1]), title);
      equal(
        headerSize(bytes, 0),
        title.startsWith('fix') ? 1 : title.includes('16') ? 3 : 5,
        title,
      );
    }
  });

  it('return counts up to 2^32 - 1', () => {
    for (const count of [0x7fffffff, 0x80000000, 0xffffffff]) {
      equal(memberCount(coded(0xdd, 4, count), 0), count);
      equal(memberCount(coded(0xdf, 4, count), 0), count);
    }
    equal(memberCount(coded(0xdc, 2, 0xffff), 0), 0xffff);
  });

  for (const [name, make, fixed, code16, code32] of [
    ['arrayHeader', arrayHeader, 0x90, 0xdc, 0xdd],
    ['mapHeader', mapHeader, 0x80, 0xde, 0xdf],
  ] as const) {
    it(`are written by ${name} in the shortest form at each edge`, () => {
      for (const count of [0, 1, 15]) deepEqual(make(count), Buffer.of(fixed + count));
      for (const count of [16, 0xff, 0x100, 0xffff])
        deepEqual(make(count), coded(code16, 2, count));
      for (const count of [0x10000, 0xffffffff]) deepEqual(make(count), coded(code32, 4, count));
    });
  }
});

describe('unsigned integers', () => {
  it('are read from every form, to 2^53', () => {
    for (const [hex, value] of [
      ['00', 0],
      ['7f', 0x7f],
      ['cc00', 0],
      ['ccff', 0xff],
      ['cd0001', 1],
      ['cdffff', 0xffff],
      ['ce00000000', 0],
      ['ce80000000', 0x80000000],
      ['ceffffffff', 0xffffffff],
      ['cf0000000000000001', 1],
      ['cf00000000ffffffff', 0xffffffff],
      ['cf0000000100000000', 2 ** 32],
      ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
      ['cfffffffffffffffff', 2 ** 64],
    ] as const) {
      equal(readUint(Buffer.from(`00${hex}00`, 'hex'), 1), value, hex);
    }
  });

  it('are NaN for any other value', () => {
    for (const { title, bytes } of samples) {
      const isUint = /^(positive fixint|uint)/.test(title);
      equal(Number.isNaN(readUint(bytes, 0)), !isUint, title);
    }
  });

  it('are written in the shortest form at each edge', () => {
    for (const value of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0xffffffff]) {
      deepEqual(uint(value), pack(value));
      equal(readUint(uint(value), 0), value);
    }
  });
});

describe('strings', () => {
  it('are written in the shortest form at each edge, counted in bytes', () => {
    for (const text of [
      '',
      'x',
      'x'.repeat(31),
      'x'.repeat(32),
      'x'.repeat(255),
      'x'.repeat(256),
      'x'.repeat(65_535),
      'x'.repeat(65_536),
      'ü'.repeat(15),
      'ü'.repeat(16),
      '\u{1f600}\0',
    ]) {
      deepEqual(str(text), pack(text));
      equal(Buffer.from(stringBytes(str(text), 0)).toString(), text);
    }
  });

  it('are read from every form, at any offset', () => {
    for (const head of [Buffer.of(0xa3), coded(0xd9, 1, 3), coded(0xda, 2, 3), coded(0xdb, 4, 3)]) {
      const bytes = Buffer.concat([filled(2), head, Buffer.from('abc'), filled(2)]);
      deepEqual(Buffer.from(stringBytes(bytes, 2)), Buffer.from('abc'));
    }
  });
});

describe('countValues', () => {
  it('counts nested values, keys included, an array as three and a map as five', () => {
    for (const [value, count] of [
      [1, 1],
      ['x'.repeat(70_000), 1],
      [[], 3],
      [[1, [2, []]], 11],
      [{ a: 1, b: [1, 2] }, 13],
    ] as [Plain, number][]) {
      equal(countValues(pack(value), 1000), count, JSON.stringify(value).slice(0, 50));
    }
    equal(countValues(Buffer.concat([pack(1), pack([null])]), 1000), 5);
    equal(countValues(Buffer.alloc(0), 1000), 0);
  });

  it('stops at the limit', () => {
    equal(countValues(Buffer.alloc(1000, 1), 10), 11);
    equal(countValues(Buffer.alloc(10, 1), 10), 10);
  });

  it('counts bytes and extensions as six, and each other sample as one', () => {
    for (const { title, code, bytes } of samples) {
      if (isArray(code) || isMap(code)) continue;
      const isBuffer = (code >= 0xc4 && code <= 0xc9) || (code >= 0xd4 && code <= 0xd8);
      equal(countValues(bytes, 1000), isBuffer ? 6 : 1, title);
    }
  });
});
