import fc from 'fast-check';
import { bin, ext, float32, float64, type Plain } from '../support/msgpack.js';

/** Rows of system spaces, by space id: what a server may hold, whether it would take it or not. */
export type Rows = Record<number, Plain[][]>;

const LONG = 'n'.repeat(300);
/** Names. Some differ only after many characters. */
const name = fc.constantFrom(
  'a',
  'b',
  'A',
  '5',
  '',
  LONG,
  `${LONG}1`,
  `${LONG}2${LONG}`,
  `${LONG}3${LONG}`,
);

/** Values that are alike in one way or another, and that a server tells apart. */
const VALUES: readonly Plain[] = [
  ...[null, false, true, 0, 1, 5, -1, 2 ** 40, 2n ** 64n - 1n, '', '5', 'true', 'none', LONG],
  ...[`${LONG}1`, [], [null], [[]], {}, { a: 1 }, { a: '1' }, { a: { b: 1 } }, [1, 2], [2, 1]],
  ...[float64(5), float32(5), float64(0), float64(-0), float64(Number.NaN)],
  ...[
    bin(Buffer.from('5')),
    bin(Buffer.alloc(0)),
    ext(2, Buffer.from('5')),
    ext(3, Buffer.from('5')),
  ],
];
export const anyValue = fc.constantFrom(...VALUES);

const options = (...keys: string[]) =>
  fc.dictionary(fc.constantFrom(...keys), anyValue, { maxKeys: 4 });
const field = fc
  .tuple(name, fc.constantFrom('unsigned', 'string', 'any'), options('default', 'is_nullable', 'x'))
  .map(([fieldName, type, more]): Plain => ({ name: fieldName, type, ...more }));
const part = fc
  .tuple(fc.nat(3), options('is_nullable', 'exclude_null', 'sort_order', 'path', 'x'))
  .map(([at, more]): Plain => ({ field: at, type: 'unsigned', ...more }));

/** A database with two of most things. */
export const schema: fc.Arbitrary<Rows> = fc
  .record({
    formats: fc.array(fc.array(field, { maxLength: 3 }), { minLength: 2, maxLength: 2 }),
    flags: fc.array(options('is_sync', 'temporary', 'group_id', 'x'), {
      minLength: 2,
      maxLength: 2,
    }),
    parts: fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 2 }),
    indexOptions: options('unique', 'hint', 'lsn', 'page_size', 'x'),
    mark: fc.array(anyValue, { maxLength: 3 }),
    bits: fc.integer({ min: 1, max: 0xffffffff }),
    names: fc.uniqueArray(name, { minLength: 2, maxLength: 2 }),
    step: fc.integer(),
    origins: fc.dictionary(fc.constantFrom('', 'config'), anyValue, {
      minKeys: 1,
      noNullPrototype: true,
    }),
  })
  .map(({ formats, flags, parts, indexOptions, mark, bits, names: [one, two], step, origins }) => ({
    272: [['once', ...mark]],
    276: [[300, one!, 1, 'ICU', 'de', { strength: 'primary' }]],
    280: [
      [512, 32, one!, 'memtx', 0, flags[0]!, formats[0]!],
      [513, 1, two!, 'vinyl', 0, flags[1]!, formats[1]!],
    ],
    284: [[1, 32, one!, step, 1, 1000, 1, 0, false]],
    285: [[1, 7]],
    288: [
      [512, 0, 'pk', 'tree', { unique: true }, parts[0]!],
      [512, 1, 'sk', 'tree', indexOptions, parts[1]!],
      [513, 0, 'pk', 'tree', {}, [[0, 'unsigned']]],
    ],
    296: [
      [
        ...[100, 32, one!, 0, 'LUA', 'function() end', 'function', ['any'], 'any', 'none', 'none'],
        ...[false, true, false, ['LUA'], { is_multikey: true }, 'comment', '', ''],
        ['box.space[512].on_replace', 'box.space.a.on_replace', 'some.event'],
      ],
    ],
    304: [
      [32, 1, one!, 'user', { 'chap-sha1': 'hash' }, ['older hash'], 0, { origins }],
      [33, 32, two!, 'role', {}],
    ],
    312: [
      [1, 32, 'space', 512, bits, { origins }],
      [32, 33, 'function', 100, 4],
      [1, 32, 'lua_call', 'f', 4],
    ],
    328: [['t', 512, { sql: 'CREATE TRIGGER …' }]],
    340: [[512, 1, false, 0, '']],
    356: [['fk', 513, 512, false, 'simple', 'no_action', 'no_action', [0], [0]]],
    364: [[512, 'ck', false, 'SQL', 'a > 0', true]],
    372: [[512, 1, 100]],
  }));

/** Fields that are compared under another form, or that are about the instance: ids and times. */
const UNCOMPARED: Readonly<Record<number, readonly number[]>> = {
  276: [0],
  280: [0],
  284: [0],
  285: [0],
  288: [0],
  296: [0, 17, 18],
  304: [0, 6],
  340: [0],
};

/** Options by which a server does the same as without them, written down once more than the code does. */
const SAME_AS_NONE: Readonly<Record<string, Readonly<Record<string, Plain>>>> = {
  '280.5': { is_sync: false, temporary: false, group_id: 0 },
  '280.6': { is_nullable: false },
  '288.4': { unique: true, hint: true },
  '288.5': { is_nullable: false, exclude_null: false, sort_order: 'asc' },
};

/** One place in the rows, and how it is changed. */
export interface Edit {
  place: string;
  before: Plain | undefined;
  after: Plain | undefined;
  changed: Rows;
}

const isMap = (value: Plain): value is { [key: string]: Plain } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);

function same(a: Plain | undefined, b: Plain | undefined): boolean {
  const show = (value: unknown): unknown =>
    Buffer.isBuffer(value)
      ? `raw ${value.toString('hex')}`
      : typeof value === 'bigint'
        ? `int ${value}`
        : value;
  const text = (value: Plain | undefined): string =>
    value === undefined ? 'absent' : JSON.stringify(value, (_key, each) => show(each));
  return text(a) === text(b);
}

/** All ways to change one thing of a value into `to`, or to take it away. */
function* editsOf(
  value: Plain,
  to: Plain,
  place: string,
): Generator<[place: string, before: Plain, after: Plain | undefined, whole: Plain]> {
  if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) {
      for (const [at, before, after, inner] of editsOf(each, to, `${place}.${i}`)) {
        yield [at, before, after, value.with(i, inner)];
      }
    }
  } else if (isMap(value)) {
    for (const [key, each] of Object.entries(value)) {
      const { [key]: _, ...rest } = value;
      const isFixed = key === 'field' || key === 'name' || key === 'type';
      if (isFixed && typeof to !== typeof each) continue;
      yield [`${place}.${key}`, each, to, { ...value, [key]: to }];
      if (!isFixed) yield [`${place}.${key}`, each, undefined, rest];
    }
  } else if (typeof value === typeof to && value !== null && to !== null && !Buffer.isBuffer(to)) {
    yield [place, value, to, to];
  }
}

/** True for what no comparison may mind. */
function isSameThing(place: string, before: Plain | undefined, after: Plain | undefined): boolean {
  if (same(before, after)) return true;
  const [space, _row, fieldNo, ...rest] = place.split('.');
  const key = rest.at(-1)!;
  if (`${space}.${fieldNo}` === '288.4' && key === 'lsn') return true;
  const none = SAME_AS_NONE[`${space}.${fieldNo}`]?.[key];
  const isNone = (value: Plain | undefined): boolean => value === undefined || same(value, none);
  return none !== undefined && isNone(before) && isNone(after);
}

/** All ways to change one thing of a database into `to`, where that makes it another. */
export function editsTo(rows: Rows, to: Plain): Edit[] {
  return Object.entries(rows).flatMap(([spaceId, list]) =>
    list.flatMap((row, rowNo) =>
      row.flatMap((value, fieldNo) => {
        if (UNCOMPARED[Number(spaceId)]?.includes(fieldNo)) return [];
        const place = `${spaceId}.${rowNo}.${fieldNo}`;
        return [...editsOf(value, to, place)]
          .filter(([at, before, after]) => !isSameThing(at, before, after))
          .map(([at, before, after, whole]) => ({
            ...{ place: at, before, after },
            changed: { ...rows, [spaceId]: list.with(rowNo, row.with(fieldNo, whole)) },
          }));
      }),
    ),
  );
}
