import { deepEqual, equal, match, notDeepEqual, rejects, throws } from 'node:assert/strict';
import type { FilterOutcome } from '../../../lib/filters/filter.js';
import { maskFields } from '../../../lib/filters/mask.js';
import { parseMask } from '../../../lib/filters/mask-spec.js';
import { fixedValue } from '../../../lib/filters/mask-values.js';
import { encode } from '../../../lib/tuple/codec.js';
import { Datetime } from '../../../lib/tuple/datetime.js';
import { Decimal } from '../../../lib/tuple/decimal.js';
import { Double, Float, Opaque, Raw } from '../../../lib/tuple/exact-types.js';
import { Interval } from '../../../lib/tuple/interval.js';
import { Tuple } from '../../../lib/tuple/tuple.js';
import { Uuid } from '../../../lib/tuple/uuid.js';
import { headOf } from './heads.js';

const KEY = Buffer.alloc(32, 7);
const SPACES = {
  280: [
    [
      512,
      1,
      'users',
      'memtx',
      0,
      {},
      [
        { name: 'id', type: 'unsigned' },
        { name: 'secret', type: 'any' },
      ],
    ],
  ],
  288: [[512, 0, 'pk', 'tree', { unique: true }, [{ field: 0, type: 'unsigned' }]]],
};

const row = (id: number, name: string, format: object[], flags = {}) =>
  [id, 1, name, 'memtx', 0, flags, format] as never[];

/** Returns the hash of a value. */
async function hash(value: unknown, key = KEY): Promise<unknown> {
  const filter = maskFields([parseMask('users.secret=hash')], key);
  await filter.head(headOf(SPACES));
  const bytes = encode([1, value]);
  const space = { id: 512, name: 'users', engine: 'memtx' };
  for await (const batch of filter.rows!({ kind: 'tuples', space, count: 1, bytes })) {
    return new Tuple(batch.bytes).get(1);
  }
  return undefined;
}

describe('maskFields', () => {
  for (const [what, value, isAlike] of [
    ['a string', 'ann@example.org', (hashed: unknown) => typeof hashed === 'string'],
    ['an integer', 42, (hashed: unknown) => BigInt(hashed as number) >= 0n],
    ['a negative integer', -42, (hashed: unknown) => BigInt(hashed as number) < 0n],
    ['an integer of 64 bits', 2n ** 64n - 1n, (hashed: unknown) => BigInt(hashed as bigint) >= 0n],
    [
      'a uuid',
      Uuid.from('64d22e4d-ac92-4a23-899a-e59f34af5479'),
      (hashed: unknown) => hashed instanceof Uuid,
    ],
    ['a fraction', -1.5, (hashed: unknown) => hashed instanceof Double && hashed.value < 0],
    ['a double that is whole', new Double(1), (hashed: unknown) => hashed instanceof Double],
    [
      'a decimal',
      Decimal.from('-12.50'),
      (hashed: unknown) => hashed instanceof Decimal && String(hashed).startsWith('-'),
    ],
    [
      'a datetime',
      Datetime.from('1980-05-01T00:00:00+03:00'),
      (hashed: unknown) => hashed instanceof Datetime && hashed.seconds >= 0n,
    ],
    ['a binary value', Buffer.of(1, 2), (hashed: unknown) => hashed instanceof Uint8Array],
  ] as const) {
    it(`hashes ${what} to a value of its kind, always the same for one key`, async () => {
      const hashed = await hash(value);
      equal(isAlike(hashed), true, String(hashed));
      notDeepEqual(hashed, value);
      deepEqual(await hash(value), hashed);
      notDeepEqual(await hash(value, Buffer.alloc(32, 8)), hashed);
    });
  }

  it('hashes equal decimals and datetimes alike', async () => {
    const [a, b] = [await hash(Decimal.from('1.50')), await hash(Decimal.from('1.5'))];
    deepEqual(a, b);
    const noon = await hash(Datetime.from('2024-01-01T12:00:00Z'));
    deepEqual(await hash(Datetime.from('2024-01-01T15:00:00+03:00')), noon);
  });

  it('hashes numbers alike that the server treats as equal, whatever their types are', async () => {
    const number = async (value: unknown): Promise<bigint> => BigInt(String(await hash(value)));
    for (const [a, b, c = a] of [
      [2, new Double(2), Decimal.from('2.00')],
      [-2, new Double(-2), Decimal.from('-2')],
      [new Float(1.5), 1.5, Decimal.from('1.50')],
      [0, new Double(-0), Decimal.from('0')],
      [2n ** 64n - 1n, Decimal.from(2n ** 64n - 1n)],
      [1e-7, Decimal.from('0.0000001')],
      [new Double(2 ** 63), 2n ** 63n],
    ]) {
      deepEqual([await number(a), await number(a)], [await number(b), await number(c)]);
    }
    notDeepEqual(await number(2n ** 53n), await number(2n ** 53n + 1n));
  });

  it('hashes a string that is not valid UTF-8', async () => {
    equal(typeof (await hash(new Raw(Buffer.of(0xa1, 0xff)))), 'string');
  });

  for (const [type, text, expected] of [
    ['unsigned', '18446744073709551615', 2n ** 64n - 1n],
    ['integer', '-5', -5n],
    ['number', '5', 5n],
    ['number', '0.5', 0.5],
    ['double', '5', new Double(5)],
    ['decimal', '0.10', Decimal.from('0.10')],
    ['boolean', 'false', false],
    [
      'uuid',
      '64d22e4d-ac92-4a23-899a-e59f34af5479',
      Uuid.from('64d22e4d-ac92-4a23-899a-e59f34af5479'),
    ],
    ['datetime', '2024-01-01', Datetime.from('2024-01-01')],
    ['varbinary', 'x', Buffer.from('x')],
    ['string', '5', '5'],
    ['any', '5', '5'],
    ['uint8', '255', 255n],
    ['int8', '-128', -128n],
    ['float32', '0.5', new Float(0.5)],
  ] as const) {
    it(`reads fixed:${text} for a field of type ${type}`, () => {
      deepEqual(encode(fixedValue(text, [type])), encode(expected));
    });
  }

  for (const [type, text] of [
    ['unsigned', 'x'],
    ['double', ''],
    ['boolean', '1'],
    ['uuid', '5'],
    ['decimal', 'ten'],
    ['datetime', 'today'],
    ['unsigned', '-1'],
    ['unsigned', '18446744073709551616'],
    ['uint8', '256'],
    ['map', 'x'],
    ['array', 'x'],
    ['decimal32', '1'],
  ] as const) {
    it(`refuses fixed:${text} for a field of type ${type}`, async () => {
      const format = [
        { name: 'id', type: 'unsigned' },
        { name: 'secret', type },
      ];
      const head = headOf({ ...SPACES, 280: [[512, 1, 'users', 'memtx', 0, {}, format]] });
      const filter = maskFields([parseMask(`users.secret=fixed:${text}`)]);
      await rejects(Promise.resolve(filter.head(head)), {
        kind: 'usage',
        hint: new RegExp(`a value of type ${type}`),
      });
    });
  }

  for (const type of ['boolean', 'uint8', 'int32', 'float32', 'decimal32', 'map', 'interval']) {
    it(`refuses to hash a field of type ${type}`, async () => {
      const format = [
        { name: 'id', type: 'unsigned' },
        { name: 'secret', type },
      ];
      const head = headOf({ ...SPACES, 280: [[512, 1, 'users', 'memtx', 0, {}, format]] });
      await rejects(Promise.resolve(maskFields([parseMask('users.secret=hash')]).head(head)), {
        kind: 'usage',
        message: new RegExp(`'users.secret' has the type ${type}, which cannot hold a hash`),
      });
    });
  }

  /** Masks a field with this definition and these parts of an index. */
  const maskIn = (
    mask: string,
    field: object,
    parts: readonly object[] = [],
    options: object = { unique: false },
  ): Promise<FilterOutcome> => {
    const format = [
      { name: 'id', type: 'unsigned' },
      { name: 'secret', ...field },
    ];
    const head = headOf({
      280: [[512, 1, 'users', 'memtx', 0, {}, format] as never[]],
      288: [
        ...SPACES[288],
        ...(parts.length === 0 ? [] : [[512, 1, 'sec', 'tree', options, parts]]),
      ] as never[][],
    });
    return Promise.resolve(maskFields([parseMask(`users.secret=${mask}`)]).head(head));
  };

  const byPath = /has values that the index 'sec' reads by a path/;
  for (const [mask, type, part, message] of [
    [
      'fixed:x',
      'any',
      { type: 'unsigned' },
      /has the type any and unsigned, and 'x' is not a whole number/,
    ],
    ['fixed:x', 'scalar', { type: 'unsigned' }, /'x' is not a whole number/],
    ['fixed:-1', 'integer', { type: 'unsigned' }, /-1 is not between/],
    ['fixed:0.5', 'number', { type: 'integer' }, /'0.5' is not a whole number/],
    ['fixed:x', 'any', { type: 'array' }, /such a value cannot be written as text/],
    ['fixed:x', 'any', { type: 'string', path: 'name' }, byPath],
    ['fixed:x', 'any', { type: 'string', path: '[*]' }, byPath],
    ['null', 'any', { type: 'string', path: 'name' }, byPath],
    ['hash', 'any', { type: 'string', path: 'name' }, byPath],
    ['hash', 'any', { type: 'boolean' }, /has the type boolean, which cannot hold a hash/],
    ['hash', 'string', { type: 'string', collation: 2 }, /has the collation 'unicode_ci'/],
    ['hash', 'string', { type: 'string', collation: 1 }, /has the collation 'unicode'/],
  ] as const) {
    it(`refuses ${mask} of ${type} with a part ${JSON.stringify(part)}`, async () => {
      const masked = maskIn(mask, { type, is_nullable: true }, [
        { field: 1, is_nullable: false, ...part },
      ]);
      await rejects(masked, { kind: 'usage', message });
    });
  }

  for (const [mask, type, part] of [
    ['fixed:5', 'any', { type: 'unsigned' }],
    ['fixed:5', 'NUM', { type: 'num' }],
    ['fixed:1.5', 'number', { type: 'decimal' }],
    ['null', 'any', { type: 'string', path: 'name', is_nullable: true }],
    ['hash', 'string', { type: 'string', collation: 3 }],
    ['hash', 'any', { type: 'scalar' }],
  ] as const) {
    it(`accepts ${mask} of ${type} with a part ${JSON.stringify(part)}`, async () => {
      await maskIn(mask, { type, is_nullable: true }, [{ field: 1, ...part }]);
    });
  }

  it('refuses a hash of a field with a collation in the format', async () => {
    await rejects(maskIn('hash', { type: 'string', collation: 2 }), /collation 'unicode_ci'/);
  });

  it('warns of functions that may refuse the masked values', async () => {
    const { warnings } = await maskIn(
      'hash',
      { type: 'string', constraint: { short: 7 } },
      [{ field: 0, type: 'string' }],
      { unique: false, func: 9 },
    );
    match(warnings![0]!, /the constraint 'short'; the functional index 'sec' of space 'users'/);
  });

  it('refuses null if a part of an index cannot be null', async () => {
    const format = [
      { name: 'id', type: 'unsigned' },
      { name: 'secret', type: 'string', is_nullable: true },
    ];
    const parts = [{ field: 1, type: 'string', is_nullable: false }];
    const head = headOf({
      280: [[512, 1, 'users', 'memtx', 0, {}, format]],
      288: [...SPACES[288], [512, 1, 'sec', 'tree', { unique: false }, parts]],
    });
    await rejects(Promise.resolve(maskFields([parseMask('users.secret=null')]).head(head)), {
      kind: 'usage',
      message: /'users.secret' cannot be null/,
    });
  });

  describe('of a foreign key', () => {
    const PARENT = [{ name: 'id', type: 'unsigned' }];
    const foreign = { foreign_key: { up: { space: 512, field: 'id' } } };
    const CHILD = [
      { name: 'id', type: 'unsigned' },
      { name: 'of', type: 'unsigned', is_nullable: true },
    ];
    const TUPLE_KEY = { foreign_key: { up: { space: 512, field: { of: 'id' } } } };
    const forms: Record<string, Parameters<typeof headOf>[0]> = {
      'of a field': {
        280: [
          row(512, 'users', PARENT),
          row(513, 'mails', [CHILD[0]!, { ...CHILD[1]!, ...foreign }]),
        ],
      },
      'of a space': { 280: [row(512, 'users', PARENT), row(513, 'mails', CHILD, TUPLE_KEY)] },
      'of SQL on 2.6': {
        280: [row(512, 'users', PARENT), row(513, 'mails', CHILD)],
        356: [['up', 513, 512, false, 'simple', 'no_action', 'no_action', [1], [0]]],
      },
    };
    for (const [form, rows] of Object.entries(forms)) {
      const head = headOf({ ...rows, 288: SPACES[288] });
      const masked = (...masks: string[]): Promise<FilterOutcome> =>
        Promise.resolve(maskFields(masks.map(parseMask)).head(head));

      it(`${form} refuses a mask of one end alone`, async () => {
        for (const mask of ['mails.of=hash', 'users.id=hash', 'mails.of=fixed:1']) {
          await rejects(masked(mask), {
            kind: 'usage',
            message: /is part of the foreign key 'up' from 'mails' to 'users'/,
          });
        }
      });

      it(`${form} refuses to hash ends whose numbers are hashed differently`, async () => {
        const other = structuredClone(rows) as { 280: unknown[][] };
        (other[280][0]![6] as { type: string }[])[0]!.type = 'number';
        const split = headOf({ ...(other as typeof rows), 288: [] });
        const masks = ['mails.of=hash', 'users.id=hash'].map(parseMask);
        await rejects(Promise.resolve(maskFields(masks).head(split)), {
          kind: 'usage',
          message: /its two ends hold integers and numbers: their hashes would differ/,
        });
      });

      it(`${form} hashes both ends, and sets the child's to null`, async () => {
        await masked('mails.of=hash', 'users.id=hash');
        await masked('mails.of=null');
      });
    }
  });

  it('gives the same hash in each backup', async () => {
    const filter = maskFields([parseMask('users.secret=hash')], KEY);
    const space = { id: 512, name: 'users', engine: 'memtx' };
    const seen: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      await filter.head(headOf(SPACES));
      const bytes = encode([1, 'x']);
      for await (const batch of filter.rows!({ kind: 'tuples', space, count: 1, bytes })) {
        seen.push(new Tuple(batch.bytes).get(1));
      }
    }
    deepEqual(seen[1], seen[0]);
  });

  it('keeps null', async () => {
    equal(await hash(null), null);
  });

  for (const [what, value] of [
    ['a boolean', true],
    ['an interval', Interval.from({ day: 1 })],
    ['an array', [1]],
    ['a map', { a: 1 }],
    ['a map', new Map([[1, 2]])],
    ['an extension of type 100', new Opaque(100, Buffer.of(1))],
  ] as const) {
    it(`refuses to hash ${what}, with the space and the key in the message`, async () => {
      await hash(value).then(
        () => {
          throw new Error('was hashed');
        },
        (error: Error) =>
          equal(
            error.message.includes(`space 'users', row [1]: secret: ${what}`),
            true,
            error.message,
          ),
      );
    });
  }

  it('splits the names at the last dot, and accepts any text as a fixed value', () => {
    deepEqual(parseMask('mail.box.to=fixed:a=b'), {
      space: 'mail.box',
      field: 'to',
      by: { fixed: 'a=b' },
    });
    throws(() => parseMask('to=null'), /cannot read the mask/);
  });
});
