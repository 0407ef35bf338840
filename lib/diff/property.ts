import { shorten } from '../report.js';
import { isTable } from '../schema/rows.js';
import { Extension, type Value } from '../tuple/codec.js';

/** Something that is said of a thing: two things of which the same is said are the same. */
export interface Property {
  /** What people call it, e.g. `field 3 'age' type`. */
  label: string;
  /** Equal texts mean the same. */
  text: string;
  /** True for what is shown to nobody. */
  isSecret?: boolean;
}

/** By a key that is the same on both sides. */
export type Properties = Map<string, Property>;

/** The same text for the same value, in whatever order a map has its pairs. */
export function textOf(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(plain(value));
}

function plain(value: Value): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Extension) return `${value.type}:${hex(value.payload)}`;
  if (value instanceof Uint8Array) return hex(value);
  if (!isTable(value)) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, each]) => [key, plain(each)]));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What is the same as not to be there. */
function isNothing(value: Value): boolean {
  if (value === null || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isTable(value) && Object.keys(value).length === 0;
}

/** Notes a property, unless the value is the same as none. */
export function note(
  properties: Properties,
  label: string,
  value: Value | undefined,
  key = label,
): void {
  if (value === undefined || isNothing(value)) return;
  properties.set(key, { label, text: textOf(value) });
}

/** What of a thing is another on each side. */
export interface Change {
  /** e.g. `engine` */
  what: string;
  /** Absent where there was nothing, and for what is shown to nobody. */
  before?: string;
  after?: string;
}

/** What of two things that have the same name is not the same. */
export function changesOf(left: Properties, right: Properties): Change[] {
  const changes: Change[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [before, after] = [left.get(key), right.get(key)];
    if (before?.text === after?.text) continue;
    const { label: what, isSecret = false } = (before ?? after)!;
    changes.push({
      what,
      ...(before === undefined || isSecret ? {} : { before: before.text }),
      ...(after === undefined || isSecret ? {} : { after: after.text }),
    });
  }
  return changes;
}

/** @example showChange({ what: 'engine', before: 'memtx', after: 'vinyl' }); // 'engine memtx -> vinyl' */
export function showChange({ what, before, after }: Change): string {
  if (before === undefined && after === undefined) return `${what} differs`;
  const [from, to] = [shorten(before ?? 'none'), shorten(after ?? 'none')];
  return from === to ? `${what} differs` : `${what} ${from} -> ${to}`;
}
