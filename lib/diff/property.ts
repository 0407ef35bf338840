import { isTable } from '../schema/catalog/rows.js';
import { decode, type Value } from '../tuple/codec.js';
import { Opaque } from '../tuple/exact-types.js';
import { isArray, isMap } from '../tuple/msgpack.js';
import { cutMiddle, cutTogether } from './cut.js';
import { isSameValue, typedText } from './typed.js';

/** A property of a definition. Two definitions with the same properties are equal. */
interface Property {
  /** The name for people, e.g. `field 3 'age' type`. */
  label: string;
  /** The value, with names instead of ids. */
  raw: Buffer;
  /** The value for people. Two values may have the same text. */
  text: string;
  /** True for a value that is never shown. */
  isSecret?: boolean;
}

/** Properties by a key that is the same on both sides. */
export type Properties = Map<string, Property>;

/** Returns a text for a value. The order of pairs in a map does not matter. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(plain(value));
}

/** The limit in bytes for an array or a map that is decoded. Longer ones are shown by their size and a hash. */
const LONGEST_READ = 256 * 1024;

/** Returns true for an array or a map that is too long to be shown by its members. */
export function isLongNest(raw: Buffer): boolean {
  return raw.length > LONGEST_READ && (isArray(raw[0]!) || isMap(raw[0]!));
}

/** Returns a text for a raw value. */
export function textOfRaw(raw: Buffer): string {
  return isLongNest(raw) ? typedText(raw) : textOf(decode(raw));
}

function plain(value: Value): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Opaque) return `${value.type}:${hex(value.payload)}`;
  if (value instanceof Uint8Array) return hex(value);
  if (!isTable(value)) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, each]) => [key, plain(each)]));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/**
 * Adds a property.
 *
 * @param raw - is compared
 * @param text - is shown
 * @param key - the same on both sides; a second property with the same key is kept with the first
 */
export function note(
  properties: Properties,
  label: string,
  raw: Buffer,
  text = textOfRaw(raw),
  key = label,
): void {
  let free = key;
  while (properties.has(free)) free += ' again';
  properties.set(free, { label, raw, text });
}

/** A property that differs between the sides. */
export interface Change {
  /** The name of the property, e.g. `engine`. */
  what: string;
  /** Undefined if there was no value, and for a value that is never shown. */
  before?: string;
  after?: string;
}

/** Returns the texts of two different values; with their types if they would look the same. */
function textsOf(
  before: Property | undefined,
  after: Property | undefined,
): (string | undefined)[] {
  const sides = [before, after];
  const isTold = before === undefined || after === undefined || before.text !== after.text;
  const isNone = sides.some((side) => side?.text === NONE) && sides.includes(undefined);
  return sides.map((side) => (isTold && !isNone ? side?.text : side && typedText(side.raw)));
}

/** Returns the differences between two definitions with the same name. */
export function changesOf(left: Properties, right: Properties): Change[] {
  const changes: Change[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [before, after] = [left.get(key), right.get(key)];
    if (before !== undefined && after !== undefined && isSameValue(before.raw, after.raw)) continue;
    const { label: what, isSecret = false } = (before ?? after)!;
    const [from, to] = textsOf(before, after);
    changes.push({
      what,
      ...(from === undefined || isSecret ? {} : { before: from }),
      ...(to === undefined || isSecret ? {} : { after: to }),
    });
  }
  return changes;
}

/** Stands for a missing value. */
const NONE = 'none';

/**
 * Returns a change as text.
 *
 * @example showChange({ what: 'engine', before: 'memtx', after: 'vinyl' }); // 'engine memtx -> vinyl'
 */
export function showChange({ what, before, after }: Change): string {
  if (before === undefined && after === undefined) return `${cutMiddle(what)} differs`;
  const [from, to] = cutTogether(before ?? NONE, after ?? NONE);
  return `${cutMiddle(what)} ${from} -> ${to}`;
}
