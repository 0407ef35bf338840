import type { Kind } from '../schema/catalog/id-map.js';
import { isTable } from '../schema/catalog/rows.js';
import { decode, encode, type Value } from '../tuple/codec.js';
import { editMap } from '../tuple/edit.js';
import { isArray, isMap, mapHeader } from '../tuple/msgpack.js';
import { isLongNest, textOf, textOfRaw } from './property.js';
import { isSameValue, membersOf, pairsOf, typedText } from './typed.js';

/** Looks up the names of objects by their ids. */
export interface Naming {
  /** Returns a value for the name; undefined if no object has this id. */
  raw(kind: Kind, id: Value): Buffer | undefined;
  /** Returns the description for people. */
  text(kind: Kind, id: Value): string;
}

/** The value of an option with names instead of ids: in the form that is compared, and in the form that is shown. */
export interface Named {
  raw: Buffer;
  text: string;
}

const table = (entries: Readonly<Record<string, Value>>): ReadonlyMap<string, Buffer> =>
  new Map(Object.entries(entries).map(([key, value]) => [key, encode(value)]));

/**
 * Values of options that are equal to their absence. All other values are distinguished.
 *
 * Source: `field_def_default` of the server's `src/box/field_def.c`, `space_opts_default` of
 * `src/box/space_def.c`, `index_opts_default` of `src/box/index_def.c`, `part_def_default` of `src/box/key_def.c`.
 */
const INERT = {
  space: table({
    ...{ temporary: false, view: false, is_sync: false, defer_deletes: false, group_id: 0 },
    ...{ type: 'normal', constraint: {}, foreign_key: {}, checks: [] },
  }),
  field: table({ is_nullable: false, constraint: {}, foreign_key: {} }),
  index: table({ unique: true, hint: true, func: 0 }),
  part: table({ is_nullable: false, exclude_null: false, sort_order: 'asc' }),
} as const;

/** Returns true if an option is equal to its absence. */
function isInert(of: keyof typeof INERT, key: string, raw: Buffer): boolean {
  const inert = INERT[of].get(key);
  return inert !== undefined && isSameValue(inert, raw);
}

/** Options that refer to an object by its id, or to several in a map. */
const NAMING: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['constraint', 'function'],
  ['default_func', 'function'],
  ['func', 'function'],
  ['collation', 'collation'],
]);

/** Replaces ids by names in raw bytes. */
function namedBytes(key: string, raw: Buffer, naming: Naming): Buffer {
  const one =
    (kind: Kind) =>
    (id: Buffer): Buffer => {
      const value = decode(id);
      return typeof value === 'number' ? (naming.raw(kind, value) ?? id) : id;
    };
  if (key === 'foreign_key') {
    return editMap(raw, (_name, options) =>
      editMap(options, (option, value) => (option === 'space' ? one('space')(value) : value)),
    );
  }
  const kind = NAMING.get(key);
  if (kind === undefined) return raw;
  const isMany = key === 'constraint' && isMap(raw[0]!);
  return isMany ? editMap(raw, (_name, id) => one(kind)(id)) : one(kind)(raw);
}

/** Replaces ids by names for people. */
function namedValue(key: string, value: Value, naming: Naming): Value {
  const one =
    (kind: Kind) =>
    (id: Value): Value =>
      typeof id === 'number' ? naming.text(kind, id) : id;
  const each = (change: (value: Value) => Value): Value =>
    isTable(value)
      ? Object.fromEntries(Object.entries(value).map(([name, given]) => [name, change(given)]))
      : change(value);
  if (key === 'foreign_key') {
    return each((given) =>
      isTable(given) && Object.hasOwn(given, 'space')
        ? { ...given, space: one('space')(given['space']!) }
        : given,
    );
  }
  const kind = NAMING.get(key);
  if (kind === undefined) return value;
  return key === 'constraint' ? each(one(kind)) : one(kind)(value);
}

/** Reads an option of a space, of a field, of an index or of a part. */
export function namedOption(key: string, raw: Buffer, naming: Naming): Named {
  const named = namedBytes(key, raw, naming);
  const text = isLongNest(raw) ? typedText(named) : textOf(namedValue(key, decode(raw), naming));
  return { raw: named, text };
}

/** Returns the pairs of a map whose keys are strings, without those that are equal to their absence. */
export function optionsOf(of: keyof typeof INERT, raw: Buffer): [key: string, value: Buffer][] {
  return pairsOf(raw).flatMap(([rawKey, value]): [string, Buffer][] => {
    const key = decode(rawKey);
    if (typeof key !== 'string') return [[typedText(rawKey), value]];
    return isInert(of, key, value) ? [] : [[key, value]];
  });
}

/**
 * Reads a part of an index. In spaces that 1.x created, a part is `[field, type]`.
 *
 * @returns with a text such as 'field 3 string collation unicode_ci'
 */
export function namedPart(raw: Buffer, naming: Naming): Named {
  const members = isArray(raw[0]!) ? [...membersOf(raw)] : [];
  const isOld = members.length > 0 && members.length <= 2;
  if (!isOld && !isMap(raw[0]!)) return { raw, text: textOfRaw(raw) };
  const pairs = isOld
    ? members.map((value, i): [string, Buffer] => [i === 0 ? 'field' : 'type', value])
    : optionsOf('part', raw);
  let field = '?';
  let type = 'any';
  const words: string[] = [];
  const compared: Buffer[] = [];
  for (const [key, value] of pairs) {
    const named = namedOption(key, value, naming);
    const lower = key === 'type' || key === 'sort_order' ? lowered(named.raw) : named.raw;
    compared.push(encode(key), lower);
    if (key === 'field') field = String(Number(decode(value)) + 1);
    else if (key === 'type') type = textOf(decode(lower));
    else words.push(decode(value) === true ? key : `${key} ${asWord(named.text)}`);
  }
  return {
    raw: Buffer.concat([mapHeader(pairs.length), ...compared]),
    text: [`field ${field}`, type, ...words.sort()].join(' '),
  };
}

/** Quotes a text that is not exactly one word: an option with that text differs from one that is true. */
const asWord = (text: string): string => (/^\S+$/.test(text) ? text : `'${text}'`);

/** Returns a string in lower case, as a server reads the names of types. Returns anything else unchanged. */
export function lowered(raw: Buffer): Buffer {
  const value = decode(raw);
  if (typeof value !== 'string') return raw;
  const lower = value.toLowerCase();
  return lower === value ? raw : encode(lower);
}
