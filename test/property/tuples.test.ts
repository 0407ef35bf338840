import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { countTuples, eachTuple } from '../../lib/backup/batch.js';
import { decodeExact, encode } from '../../lib/tuple/codec.js';
import { addPair, editArray, editMap } from '../../lib/tuple/edit.js';
import { fieldBytes, joinFields, splitFields } from '../../lib/tuple/fields.js';
import { INCOMPLETE, INVALID, nestsDeeper, skip, skipTuple } from '../../lib/tuple/msgpack.js';
import { holds } from './runs.js';
import { array, mapOf, Node, text, tuple, value } from './values.js';

const map = mapOf(value, value);
const elements = ({ children }: Node): Buffer[] => children.map(({ raw }) => raw);

/** The value in other bytes, so that an offset which is taken for another one shows. */
function within({ raw }: Node, before: number, behind: number): [Buffer, number] {
  const around = Buffer.concat([Buffer.alloc(before, 0xc1), raw, Buffer.alloc(behind, 0xc1)]);
  return [around, before];
}

/** What msgpackr keeps: it makes text of any bytes, numbers of floats, and one of keys that are alike. */
const { plain } = fc.letrec<{ plain: unknown }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.bigInt(2n ** 53n + 1n, 2n ** 64n - 1n),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
    fc.string({ unit: 'binary' }),
    fc.array(tie('plain'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
      tie('plain'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
}));
const unpackr = new Unpackr({ mapsAsObjects: true, int64AsType: 'auto' as 'bigint' });

describe('the walk over a MessagePack value', () => {
  holds(
    'ends after any value, and reports any truncated value as incomplete',
    3000,
    fc.property(value, fc.nat(20), fc.nat(20), fc.nat(), (node, before, behind, at) => {
      const [bytes, start] = within(node, before, behind);
      const end = start + node.raw.length;
      equal(skip(bytes, start, bytes.length), end);
      const cut = start + (at % node.raw.length);
      equal(skip(bytes, start, cut), INCOMPLETE);
      equal(skip(bytes.subarray(0, cut), start, cut), INCOMPLETE);
      const isTuple = node.kind === 'array';
      equal(skipTuple(bytes, start, bytes.length), isTuple ? end : INVALID);
    }),
  );

  holds(
    'finds the depth of a value',
    3000,
    fc.property(value, fc.nat(3), (node, more) => {
      const { raw, depth: deep } = node;
      equal(nestsDeeper(raw, deep + more), false);
      if (deep > more) equal(nestsDeeper(raw, deep - more - 1), true);
    }),
  );

  holds(
    'finds all tuples, up to the first byte that does not begin a tuple',
    1000,
    fc.property(fc.array(tuple, { maxLength: 10 }), fc.nat(), (tuples, at) => {
      const raw = tuples.map((each) => each.raw);
      const bytes = Buffer.concat(raw);
      deepEqual(countTuples(bytes), { count: raw.length });
      deepEqual([...eachTuple(bytes)], raw);
      const last = raw.at(-1)?.length ?? 0;
      const cut = last < 2 ? 0 : 1 + (at % (last - 1));
      if (cut > 0) {
        deepEqual(countTuples(bytes.subarray(0, bytes.length - cut)), {
          badOffset: bytes.length - last,
        });
      }
      deepEqual(countTuples(Buffer.concat([bytes, Buffer.of(0x80)])), { badOffset: bytes.length });
    }),
  );
});

describe('the fields of a tuple', () => {
  holds(
    'are its elements, and make the same tuple if they are joined',
    1000,
    fc.property(tuple, (node) => {
      deepEqual(splitFields(node.raw), elements(node));
      deepEqual(joinFields(elements(node)), array(node.children).raw);
      for (const [i, raw] of elements(node).entries()) deepEqual(fieldBytes(node.raw, i), raw);
      equal(fieldBytes(node.raw, node.children.length), undefined);
    }),
  );

  holds(
    'are found by a path of any depth',
    1000,
    fc.property(tuple, fc.array(fc.nat(20), { maxLength: 6 }), (node, picks) => {
      const path: number[] = [];
      let at = node;
      for (const pick of picks) {
        if (at.kind !== 'array' || at.children.length === 0) break;
        path.push(pick % at.children.length);
        at = at.children[path.at(-1)!]!;
      }
      const [first, ...rest] = path;
      if (first !== undefined) deepEqual(fieldBytes(node.raw, first, rest), at.raw);
    }),
  );

  holds(
    'of a map are found by their key, and the last of equal keys counts',
    1000,
    fc.property(mapOf(text, value), text, value, (of, key, last) => {
      const name = decodeExact(key.raw) as string;
      const row = array([new Node(addPair(of.raw, name, last.raw))]);
      deepEqual(fieldBytes(row.raw, 0, [name]), last.raw);
    }),
  );
});

describe('an edit', () => {
  holds(
    'that changes nothing gives exactly the same bytes',
    1000,
    fc.property(fc.oneof(value, map, tuple), ({ raw }) => {
      ok(editArray(raw, (element) => element) === raw);
      ok(editMap(raw, (_, found) => found) === raw);
    }),
  );

  holds(
    'of one element keeps the bytes of all others',
    1000,
    fc.property(tuple, value, fc.nat(), (node, by, pick) => {
      const at = pick % Math.max(1, node.children.length);
      let i = 0;
      const edited = editArray(node.raw, (element) => (i++ === at ? by.raw : element));
      if (node.children.length > 0) deepEqual(edited, array(node.children.with(at, by)).raw);
    }),
  );

  holds(
    'of a map removes some pairs, and keeps the bytes of all others',
    1000,
    fc.property(mapOf(value, value), fc.nat(), (node, mask) => {
      const pairs = node.children.length / 2;
      const stays = (pair: number): boolean => ((mask >> pair) & 1) === 0;
      let i = 0;
      const edited = editMap(node.raw, (_, found) => (stays(i++) ? found : undefined));
      equal(i, pairs);
      const left = node.children.filter((_, at) => stays(at >> 1)).map(({ raw }) => raw);
      const expected = Buffer.concat([Buffer.of(0x80 + left.length / 2), ...left]);
      deepEqual(edited, left.length === node.children.length ? node.raw : expected);
    }),
  );
});

describe('exact values', () => {
  holds(
    'are the same after they were written and read',
    3000,
    fc.property(value, ({ raw }) => {
      const read = decodeExact(raw);
      const written = encode(read);
      equal(skip(written, 0, written.length), written.length);
      deepEqual(decodeExact(written), read);
      deepEqual(encode(decodeExact(written)), written);
      ok(written.length <= raw.length);
    }),
  );

  holds(
    'are those of msgpackr, if it keeps the value',
    2000,
    fc.property(plain, (given) => {
      const written = encode(given);
      deepEqual(unpackr.unpack(Buffer.from(written)), given);
      deepEqual(encode(decodeExact(written)), written);
    }),
  );
});
