import { defined } from '../base/defined.js';
import type { KeyPart, Space, SystemRow } from '../schema/catalog/catalog.js';
import { isTable, type Table } from '../schema/catalog/rows.js';
import { DESCENDING } from '../schema/server/capabilities.js';
import { type Backport, hasBackport, isOlder, type Release } from '../schema/server/release.js';
import { Field } from '../schema/server/system-spaces.js';
import type { Value } from '../tuple/codec.js';
import { fieldBytes, valueBytesInTurns } from '../tuple/fields.js';
import { arrayHeader, headerSize, memberCount, skip } from '../tuple/msgpack.js';
import { UNFINISHED, Walker } from '../tuple/walk.js';
import { compareValues } from './values.js';

/** A part of a primary key, with everything that the order of rows depends on. */
interface OrderedPart extends KeyPart {
  isDescending: boolean;
  /** The type in lower case, e.g. `unsigned`. */
  type: string;
  /** The id of the collation; 0 if strings are compared byte by byte. */
  collation: number;
}

/** Ids of the collations that compare bytes: `none` and `binary`, `src/box/coll_id.h`. */
const BYTEWISE = [0, 3];

/** The primary key of a space on one side. */
interface Order {
  parts: OrderedPart[];
  /** The type of the index, e.g. `tree`. */
  type: string;
}

/** Returns the options of a part. A part with only a field and a type may be an array. */
function optionsOf(part: Value | undefined): Partial<Table> {
  if (isTable(part)) return part;
  return Array.isArray(part) && part[1] !== undefined ? { type: part[1] } : {};
}

function orderOf({ release, primaryRows }: Keyed, { id, primaryKey }: Space): Order | undefined {
  if (primaryKey === undefined) return undefined;
  const raw = primaryRows.get(id)?.fields[Field.index.parts];
  const hasDescending = release === undefined || !isOlder(release, DESCENDING);
  const parts = primaryKey.parts.map((part, i): OrderedPart => {
    const { sort_order, collation, type } = optionsOf(Array.isArray(raw) ? raw[i] : undefined);
    const isDescending = hasDescending && String(sort_order).toLowerCase() === 'desc';
    const id = typeof collation === 'number' ? collation : 0;
    const named = String(type ?? '').toLowerCase();
    return { ...part, isDescending, type: named, collation: BYTEWISE.includes(id) ? 0 : id };
  });
  return { parts, type: primaryKey.type };
}

const NIL = Buffer.of(0xc0);

/** Returns the offset of a part of a key: in the tuple itself, or at the end of a path. */
type Locate = (buf: Buffer, offset: number) => number;

function locator({ fieldNo }: KeyPart): Locate {
  return (buf, offset) => {
    let pos = offset + headerSize(buf, offset);
    for (let i = 0; i < fieldNo; i++) pos = skip(buf, pos, buf.length);
    return pos;
  };
}

/** Compares one part of two tuples at offsets of their buffers. */
type ComparePart = (a: Buffer, aOffset: number, b: Buffer, bOffset: number) => number;

function comparePart(part: OrderedPart, isDescending: boolean): ComparePart {
  const { fieldNo, path } = part;
  const by: ComparePart = isDescending
    ? (a, aOffset, b, bOffset) => compareValues(b, bOffset, a, aOffset)
    : compareValues;
  if (path.length === 0) {
    const locate = locator(part);
    return (a, aOffset, b, bOffset) => {
      const isShort = memberCount(a, aOffset) <= fieldNo || memberCount(b, bOffset) <= fieldNo;
      if (!isShort) return by(a, locate(a, aOffset), b, locate(b, bOffset));
      return by(valueAt(a, aOffset, part), 0, valueAt(b, bOffset, part), 0);
    };
  }
  return (a, aOffset, b, bOffset) => by(valueAt(a, aOffset, part), 0, valueAt(b, bOffset, part), 0);
}

function valueAt(buf: Buffer, offset: number, { fieldNo, path }: KeyPart): Buffer {
  const tuple = buf.subarray(offset, skip(buf, offset, buf.length));
  return fieldBytes(tuple, fieldNo, path) ?? NIL;
}

/** Reads keys separately from their rows, which may be too long to be held, or to be walked in one turn. */
export interface KeyReader {
  /** Reads the key of the tuple at `offset` in turns, as a tuple of its own. */
  read(buf: Buffer, offset: number): Generator<void, Buffer>;
  /** Compares two keys as {@link Pairing.compare} compares their rows. */
  compare(a: Buffer, b: Buffer): number;
}

function* readKey(
  buf: Buffer,
  offset: number,
  parts: readonly OrderedPart[],
): Generator<void, Buffer> {
  const walker = new Walker();
  const fields = new Map<number, Buffer>();
  const wanted = new Set(parts.map(({ fieldNo }) => fieldNo));
  const count = Math.min(memberCount(buf, offset), Math.max(...wanted) + 1);
  let pos = offset + headerSize(buf, offset);
  for (let i = 0; i < count; i++) {
    let end = walker.begin(buf, pos, buf.length);
    if (end === UNFINISHED) end = yield* walker.rest();
    if (wanted.has(i)) fields.set(i, buf.subarray(pos, end));
    pos = end;
  }
  const values: Buffer[] = [];
  for (const { fieldNo, path } of parts) {
    const field = fields.get(fieldNo);
    const value = field === undefined ? undefined : yield* valueBytesInTurns(walker, field, path);
    values.push(value ?? NIL);
  }
  return Buffer.concat([arrayHeader(values.length), ...values]);
}

function keyReader(parts: readonly OrderedPart[], isOrdered: boolean): KeyReader {
  const compare = compareBy(
    parts.map((part, i) => ({ ...part, fieldNo: i, path: [] })),
    isOrdered,
  );
  return {
    read: (buf, offset) => readKey(buf, offset, parts),
    compare: (a, b) => compare(a, 0, b, 0),
  };
}

/** The way to pair the rows of a space. */
export interface Pairing {
  /** Compares the keys of two tuples, at offsets of their buffers. */
  compare: ComparePart;
  /** Undefined if rows have no key, and whole rows are compared. */
  keys?: KeyReader;
  /** The reason why rows must be sorted first; undefined if both sides have them in the order of `compare`. */
  sortedFor?: string;
  /** True if a server may have the rows in an inconsistent order. */
  isDoubtful: boolean;
  /** True if whole rows are paired, because the sides have different primary keys. */
  isWhole: boolean;
}

/** Compares whole rows, byte by byte. */
export const compareRows: ComparePart = (a, aOffset, b, bOffset) =>
  a.compare(b, bOffset, skip(b, bOffset, b.length), aOffset, skip(a, aOffset, a.length));

function compareBy(parts: readonly OrderedPart[], isOrdered: boolean): ComparePart {
  const all = parts.map((part) => comparePart(part, isOrdered && part.isDescending));
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  return (a, aOffset, b, bOffset) => {
    for (const compare of all) {
      const order = compare(a, aOffset, b, bOffset);
      if (order !== 0) return order;
    }
    return 0;
  };
}

const sameParts = (a: Order, b: Order): boolean =>
  a.parts.length === b.parts.length &&
  a.parts.every(({ fieldNo, path }, i) => {
    const other = b.parts[i]!;
    return fieldNo === other.fieldNo && JSON.stringify(path) === JSON.stringify(other.path);
  });

/** Returns the reason why the order of this key is known only to the server. */
function unordered({ type, parts }: Order): string | undefined {
  if (type !== 'tree') return `its primary index has the type ${type}, which has no order`;
  return parts.some(({ collation }) => collation !== 0)
    ? 'its primary key has a collation'
    : undefined;
}

/** Types whose values have the same order on every server. */
const CERTAIN = ['string', 'str', 'boolean', 'varbinary', 'uuid', 'decimal'];
/** Types whose values have the same order since {@link SOUND_NUMBERS}. */
const NUMBERS = ['unsigned', 'uint', 'integer', 'int', 'double'];

/**
 * The releases that order numbers correctly. Before, an integer that was written in more bytes than it needs may be
 * in the wrong place, and so may large integers in a field of type `double`.
 *
 * Source: `hint_int()`, and `tuple_compare_field()` without `mp_compare_as_double()`, in the server's
 * `src/box/tuple_compare.cc`; `mp_compare_uint()` of its `src/lib/msgpuck` (tarantool#9965).
 */
const SOUND_NUMBERS: Backport = [
  [2, 11, 6],
  [3, 2, 2],
  [3, 3, 2],
  [3, 4],
];

/**
 * Returns true if a server may have an inconsistent order: it compares 15 digits of a double with a decimal, and
 * misplaces datetimes of the last second before 1970. Files of vinyl keep the order of the release that wrote them,
 * which may have been an older one.
 */
function isDoubtfulOn(release: Release | undefined, { parts }: Order, { engine }: Space): boolean {
  if (release === undefined) return true;
  const areSound = engine !== 'vinyl' && hasBackport(release, SOUND_NUMBERS);
  const certain = areSound ? [...CERTAIN, ...NUMBERS] : CERTAIN;
  return !parts.every(({ type }) => certain.includes(type));
}

/** One side of a comparison, as far as keys depend on it. */
export interface Keyed {
  /** Rows of `_index` of primary keys, by the id of the space. */
  primaryRows: ReadonlyMap<number, SystemRow>;
  /** The release of the server that stored the rows in this order; undefined if the archive does not record it. */
  release: Release | undefined;
  /** True if filters changed its rows, and maybe their keys. */
  isChanged: boolean;
}

/**
 * Returns the way to pair the rows of a space that both sides have.
 *
 * @example
 * const { compare } = pairingOf(left, leftSpace, right, rightSpace);
 * compare(a, 0, b, 0); // below 0 where the key of tuple `a` comes first
 */
export function pairingOf(left: Keyed, a: Space, right: Keyed, b: Space): Pairing {
  const [order, other] = [orderOf(left, a), orderOf(right, b)];
  if (order === undefined || other === undefined || !sameParts(order, other)) {
    return {
      compare: compareRows,
      sortedFor: 'its primary keys differ',
      isWhole: true,
      isDoubtful: false,
    };
  }
  const isOneWay = order.parts.every(
    ({ isDescending }, i) => isDescending === other.parts[i]!.isDescending,
  );
  const changed = left.isChanged || right.isChanged ? 'a filter may have changed keys' : undefined;
  const turned = isOneWay ? undefined : 'its primary keys have different orders';
  const sortedFor = unordered(order) ?? unordered(other) ?? turned ?? changed;
  const isOrdered = sortedFor === undefined;
  const compare = compareBy(order.parts, isOrdered);
  const keys = keyReader(order.parts, isOrdered);
  const isDoubtful = isDoubtfulOn(left.release, order, a) || isDoubtfulOn(right.release, other, b);
  return {
    compare,
    keys,
    isWhole: false,
    isDoubtful,
    ...defined({ sortedFor }),
  };
}
