import fc from 'fast-check';
import { bin, ext, float64, type Plain, pack } from '../support/msgpack.js';

/** A space that a server is asked to make; it may refuse. */
export interface TableSpace {
  name: string;
  fields: { name: string; type: string; nullable: boolean }[];
  /** Numbers of fields from 0; the first one is the primary index. */
  indexes: { name: string; unique: boolean; parts: number[] }[];
  /** Each a tuple in MessagePack; the server may refuse some. */
  rows: Buffer[];
}

/** Names that mean something to a database, to its shell or to us. */
const FIELD_NAMES = [
  ...[
    'a',
    'A',
    'name',
    'Name',
    'xmin',
    'ctid',
    'oid',
    'tableoid',
    'rowid',
    '_rowid_',
    'select',
    'user',
  ],
  ...[
    'a "b"',
    "it's",
    'a b',
    'größe',
    'я',
    'Я',
    '1',
    '2',
    '3',
    'field_3',
    'a:b',
    ':x',
    '$x',
    '.quit',
    '\\.',
  ],
  ...['x'.repeat(63), 'x'.repeat(64), 'я'.repeat(31), '😀'],
];
const SPACE_NAMES = [
  ...[
    'users',
    'Users',
    'users_pkey',
    'users_a',
    'users_a_2',
    'a "b"',
    "it's",
    'я',
    'select',
    'table',
  ],
  ...[
    'pg_class',
    'pg_users',
    'sqlite_master',
    'sqlite_x',
    '.tables',
    '\\d',
    'x'.repeat(60),
    'ü'.repeat(31),
  ],
];
const INDEX_NAMES = ['pk', 'pkey', 'a', 'A', 'a_2', 'name', 'я', 'y'.repeat(60), 'a "b"'];

const upTo = (bits: number): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** BigInt(bits) - 1n));
const unsigned = upTo(64);
const integer = fc.oneof(
  unsigned,
  upTo(63).map((value) => -1n - value),
);
const double = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value / 1000),
  fc.constantFrom(0, 1, 1e21, 5e-324, Number.MAX_VALUE, 3.086565653187057e-15, 0.1),
);
/** What not every database holds. */
const oddDouble = fc.oneof(
  { arbitrary: double, weight: 30 },
  { arbitrary: fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, -1 / 0), weight: 1 },
);
const decimal = fc
  .tuple(fc.bigInt(0n, 10n ** 30n), fc.nat(20), fc.boolean())
  .map(([digits, scale, isNegative]) => {
    const packed = `${digits}${isNegative && digits > 0n ? 'd' : 'c'}`;
    const hex = packed.padStart(packed.length + (packed.length % 2), '0');
    return ext(1, Buffer.from(scale.toString(16).padStart(2, '0') + hex, 'hex'));
  });
const long = fc
  .tuple(fc.integer({ min: 2640, max: 2720 }), fc.boolean(), fc.nat())
  .map(([length, isRandom, seed]) => {
    let state = seed + 1;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return 33 + ((state >> 8) % 90);
    };
    return isRandom ? String.fromCharCode(...Array.from({ length }, next)) : 'x'.repeat(length);
  });
const text = fc.oneof(
  { arbitrary: fc.string({ unit: 'binary', maxLength: 20 }), weight: 6 },
  { arbitrary: fc.string({ maxLength: 10 }), weight: 4 },
  {
    arbitrary: fc.constantFrom(
      ...[
        '',
        '\\N',
        '\\.',
        '.quit',
        "'; DROP TABLE users; --",
        'a\r\nb',
        '\r',
        '\ufeffx',
        'go',
        '/',
      ],
      ...['1', 'NaN', 'null', '\u009b2J', '\u2028', '"', '\\', ':a'],
    ),
    weight: 4,
  },
  { arbitrary: fc.constant('a\0b'), weight: 1 },
  { arbitrary: long, weight: 1 },
);
const plainText = fc
  .string({ unit: 'grapheme', maxLength: 8 })
  .filter((each) => !each.includes('\0'));
const binary = fc.uint8Array({ maxLength: 30 }).map((bytes) => bin(bytes));
const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  // the server knows no variant with these three bits
  .map((bytes) => ext(2, Buffer.from(bytes).fill(bytes[8]! & 0xdf, 8, 9)));
const datetime = fc
  .tuple(
    fc.bigInt(-210_866_803_200n, 9_224_318_015_999n),
    fc.nat(999_999),
    fc.constantFrom(0, 180, -90),
  )
  .map(([seconds, micros, offset]) => {
    const payload = Buffer.alloc(16);
    payload.writeBigInt64LE(seconds);
    payload.writeInt32LE(micros * 1000, 8);
    payload.writeInt16LE(offset, 12);
    return ext(4, payload);
  });
const scalar: fc.Arbitrary<Plain> = fc.oneof(
  fc.boolean(),
  text,
  integer,
  double.map(float64),
  decimal,
);
const member: fc.Arbitrary<Plain> = fc.oneof(
  fc.integer(),
  plainText,
  fc.boolean(),
  fc.constant(null),
);
const array: fc.Arbitrary<Plain> = fc.array(member, { maxLength: 4 });
const map: fc.Arbitrary<Plain> = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'größe', '"', '$x'), member), {
    selector: ([key]) => key,
    maxLength: 3,
  })
  // one key that begins with a dollar sign has a form of its own
  .filter((pairs) => pairs.length !== 1 || pairs[0]![0] !== '$x')
  .map((pairs) => Object.fromEntries(pairs));

/** Values by the type of a field. */
const VALUES = {
  unsigned,
  integer,
  number: fc.oneof(integer, oddDouble.map(float64), decimal),
  double: oddDouble.map(float64),
  string: text,
  boolean: fc.boolean(),
  decimal,
  uuid,
  varbinary: binary,
  scalar,
  any: fc.oneof(scalar, array, map, fc.constant(null)),
  map,
  array,
  datetime,
} satisfies Record<string, fc.Arbitrary<Plain>>;

type FieldType = keyof typeof VALUES;
/** Types that an index of the kind `tree` takes. */
const INDEXED: readonly FieldType[] = [
  ...(['unsigned', 'integer', 'number', 'double', 'string', 'boolean'] as const),
  ...(['decimal', 'uuid', 'varbinary', 'scalar', 'datetime'] as const),
];

/** A space whose first field is a number of its rows. */
const space = (types: readonly FieldType[]): fc.Arbitrary<TableSpace> =>
  fc
    .record({
      name: fc.constantFrom(...SPACE_NAMES),
      idName: fc.constantFrom('id', ...FIELD_NAMES),
      more: fc.array(
        fc.record({
          name: fc.oneof(fc.constantFrom('b', 'c', 'd'), fc.constantFrom(...FIELD_NAMES)),
          type: fc.constantFrom(...types),
          nullable: fc.boolean(),
        }),
        { maxLength: 5 },
      ),
    })
    .chain(({ name, idName, more }) => {
      const fields = [{ name: idName, type: 'unsigned' as FieldType, nullable: false }, ...more];
      const indexed = fields.flatMap(({ type }, i) => (i > 0 && INDEXED.includes(type) ? [i] : []));
      const parts = indexed.length === 0 ? fc.constant<number[]>([]) : fc.subarray(indexed);
      const index = fc.record({
        name: fc.constantFrom(...INDEX_NAMES),
        unique: fc.boolean(),
        parts: parts.map((numbers) => (numbers.length === 0 ? [0] : numbers)),
      });
      const primary = parts.map((numbers) => numbers.filter((i) => !fields[i]!.nullable));
      const values = fc.tuple(
        ...more.map(({ type, nullable }) =>
          nullable
            ? fc.option(VALUES[type] as fc.Arbitrary<Plain>)
            : (VALUES[type] as fc.Arbitrary<Plain>),
        ),
      );
      return fc.record({
        name: fc.constant(name),
        fields: fc.constant(fields),
        indexes: fc
          .tuple(primary, fc.array(index, { maxLength: 3 }))
          .map(([first, others]) => [
            { name: 'primary', unique: true, parts: [...first, 0] },
            ...others,
          ]),
        rows: fc
          .array(values, { maxLength: 8 })
          .map((rows) => rows.map((row, id) => pack([BigInt(id), ...row]))),
      });
    });

/** Spaces of names of their own, of types that a server has. */
export function tables(hasDatetime: boolean): fc.Arbitrary<TableSpace[]> {
  const types = (Object.keys(VALUES) as FieldType[]).filter(
    (type) => hasDatetime || type !== 'datetime',
  );
  return fc.uniqueArray(space(types), { selector: ({ name }) => name, minLength: 1, maxLength: 6 });
}

/** Lua that makes spaces as far as the server allows, and tells what it then has in each row, by the first field. */
export const MAKE_TABLES = `
  local ffi, json = require('ffi'), require('json').new()
  local decimal = require('decimal')
  require('uuid')
  local has_datetime, datetime = pcall(require, 'datetime')
  local has_varbinary, varbinary = pcall(require, 'varbinary')
  json.cfg({encode_use_tostring = true, encode_number_precision = 17})
  pcall(ffi.cdef, 'int box_insert(uint32_t, const char *, const char *, void **);')
  local function hex(bytes)
      return (bytes:gsub('.', function(c) return string.format('%02x', c:byte()) end))
  end
  local function told(v)
      if v == nil then return 'null' end
      local kind = type(v)
      if kind == 'boolean' then return 'b' .. tostring(v) end
      if kind == 'number' then return string.format('f%.17g', v) end
      if kind == 'string' then return 's' .. hex(v) end
      if kind == 'table' then return 'j' .. json.encode(v) end
      if decimal.is_decimal(v) then return 'd' .. tostring(v) end
      if ffi.istype('struct tt_uuid', v) then return 'u' .. tostring(v) end
      if has_datetime and datetime.is_datetime(v) then
          return string.format('t%.0f,%d', v.epoch, v.nsec)
      end
      if has_varbinary and varbinary.is(v) then return 's' .. hex(tostring(v)) end
      return 'i' .. tostring(v):gsub('U?LL$', '')
  end
  local result = {}
  for _, given in ipairs({...}) do
      local format = {}
      for i, field in ipairs(given.fields) do
          format[i] = {name = field.name, type = field.type, is_nullable = field.nullable}
      end
      local ok, space = pcall(box.schema.space.create, given.name, {format = format})
      if ok then
          for _, index in ipairs(given.indexes) do
              local parts = {}
              for i, n in ipairs(index.parts) do
                  local field = given.fields[n + 1]
                  parts[i] = {n + 1, field.type, is_nullable = field.nullable}
              end
              pcall(space.create_index, space, index.name, {unique = index.unique, parts = parts})
          end
          if space.index[0] == nil then
              space:drop()
          else
              for _, row in ipairs(given.rows) do
                  local bytes = row:gsub('..', function(c) return string.char(tonumber(c, 16)) end)
                  local start = ffi.cast('const char *', bytes)
                  ffi.C.box_insert(space.id, start, start + #bytes, nil)
              end
              local rows = {}
              for _, tuple in space:pairs() do
                  local row = {}
                  for i = 1, #given.fields do row[i] = told(tuple[i]) end
                  table.insert(rows, row)
              end
              table.insert(result, {name = given.name, rows = rows})
          end
      end
  end
  return result
`;

/** Lua that drops all spaces that {@link MAKE_TABLES} made. */
export const DROP_TABLES = `
  for _, space in box.space._space:pairs() do
      if space.id >= 512 then box.space[space.id]:drop() end
  end
`;
