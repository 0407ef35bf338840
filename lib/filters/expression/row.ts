import { isUtf8 } from 'node:buffer';
import { readInteger } from '../../tuple/integers.js';
import {
  headerSize,
  isArray,
  isInteger,
  isMap,
  isString,
  memberCount,
  skip,
  stringBytes,
} from '../../tuple/msgpack.js';
import type { Places } from '../../tuple/places.js';
import type { Tuple } from '../../tuple/tuple.js';
import { type Budget, OverBudget } from './budget.js';
import { Unanswered } from './numbers.js';
import { type ExpressionValue, extensionValue, Stored, Unsayable } from './values.js';

const NIL = 0xc0;
const NOTHING = Buffer.of(0x90);

const isContainer = (code: number): boolean => isArray(code) || isMap(code);

/**
 * The current row of an expression. Arrays and maps are kept as bytes, and only the elements that the expression
 * reads are decoded.
 *
 * @example
 * row.use(1, "'doc'");
 * row.begin(tuple);
 * row.field(1);
 */
export class Row {
  /** The elements of the running loops, from the outermost one. */
  readonly locals: ExpressionValue[] = [];
  #raw: Buffer = NOTHING;
  #places: Places | undefined;
  /** Names for messages, by position. */
  readonly #used = new Map<number, string>();
  #positions: number[] = [];
  readonly #starts = new Map<number, number>();
  readonly #values = new Map<number, ExpressionValue>();
  #isWalked = false;

  constructor(readonly budget: Budget) {}

  /** Registers a field that an expression reads. Call before the first row. */
  use(position: number, shown: string): void {
    this.#used.set(position, shown);
    this.#positions = [...this.#used.keys()].sort((a, b) => a - b);
  }

  /**
   * Sets the current row.
   *
   * @param tuple - with complete bytes
   */
  begin({ raw, places }: Pick<Tuple, 'raw' | 'places'>): void {
    this.#raw = raw;
    this.#places = places;
    this.#starts.clear();
    this.#values.clear();
    this.#isWalked = false;
  }

  /** Returns the value of a field; null after the last one. */
  field(position: number): ExpressionValue {
    const known = this.#values.get(position);
    if (known !== undefined) return known;
    const start = this.#start(position);
    const value = start === undefined ? null : this.read(start, this.#used.get(position)!);
    this.#values.set(position, value);
    return value;
  }

  /** Returns true if a field is null or comes after the last one, without decoding it. */
  isNull(position: number): boolean {
    const start = this.#start(position);
    return start === undefined || this.isNil(start);
  }

  isNil(pos: number): boolean {
    return this.#raw[pos] === NIL;
  }

  #start(position: number): number | undefined {
    if (!this.#isWalked) this.#walk();
    return this.#starts.get(position);
  }

  /** Finds the offsets of all used fields at once, because each walk may be over millions of values. */
  #walk(): void {
    this.#isWalked = true;
    const raw = this.#raw;
    const count = memberCount(raw, 0);
    let pos = headerSize(raw, 0);
    let at = 0;
    for (const position of this.#positions) {
      if (position >= count) return;
      if (this.#places !== undefined) {
        this.#starts.set(position, this.#places(position));
        continue;
      }
      for (; at < position; at++) pos = skip(raw, pos, raw.length);
      this.#starts.set(position, pos);
    }
  }

  /**
   * Decodes the value at an offset, except for the members of arrays and maps.
   *
   * @param field - the name of its field, for messages
   */
  read(pos: number, field: string): ExpressionValue {
    const raw = this.#raw;
    const code = raw[pos]!;
    if (isInteger(code)) return BigInt(readInteger(raw, pos));
    if (isString(code)) return this.#text(pos, field);
    if (isContainer(code)) {
      return new Stored(isArray(code) ? 'list' : 'map', pos, memberCount(raw, pos), field);
    }
    if (code === NIL) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    if (code === 0xca) return raw.readFloatBE(pos + 1);
    if (code === 0xcb) return raw.readDoubleBE(pos + 1);
    if (code >= 0xc4 && code <= 0xc6) return stringBytes(raw, pos);
    return extensionValue(raw.subarray(pos, skip(raw, pos, raw.length)), field);
  }

  #text(pos: number, field: string): string | Unsayable {
    const bytes = stringBytes(this.#raw, pos) as Buffer;
    this.budget.spendHeldBytes(bytes.length);
    const text = bytes.toString('utf8');
    if (!text.includes('\ufffd') || isUtf8(bytes)) return text;
    return new Unsayable('a string that is not valid UTF-8', field);
  }

  /** Returns the offset after the value at an offset. */
  #after(pos: number): number {
    const raw = this.#raw;
    const isLong = isContainer(raw[pos]!);
    const end = skip(
      raw,
      pos,
      isLong ? Math.min(raw.length, pos + this.budget.skippable) : raw.length,
    );
    if (end < 0) throw new OverBudget();
    this.budget.spendSkipped(isLong ? end - pos : 0);
    return end;
  }

  /** Yields the elements of a list. */
  *elements(list: Stored | readonly ExpressionValue[]): Generator<ExpressionValue, void> {
    if (!(list instanceof Stored)) return yield* list;
    let pos = list.pos + headerSize(this.#raw, list.pos);
    for (let i = 0; i < list.count; i++) {
      if (i > 0) pos = this.#after(pos);
      yield this.read(pos, list.field);
    }
  }

  /** Returns the offset of an element. */
  elementAt(list: Stored, index: number): number {
    let pos = list.pos + headerSize(this.#raw, list.pos);
    for (let i = 0; i < index; i++) pos = this.#after(pos);
    return pos;
  }

  /**
   * Returns the offset of the value that a map has for a key.
   *
   * @throws Unanswered for a duplicate key
   */
  memberAt(map: Stored, key: string): number | undefined {
    const wanted = Buffer.from(key);
    let found: number | undefined;
    for (const [keyPos, pos] of this.#pairs(map)) {
      if (!isString(this.#raw[keyPos]!) || !wanted.equals(stringBytes(this.#raw, keyPos))) continue;
      if (found !== undefined) throw twice(map);
      found = pos;
    }
    return found;
  }

  /**
   * Returns the offsets of all values of a map by their keys.
   *
   * @throws Unanswered for a duplicate key, and for a key that is not a string
   */
  members(map: Stored): ReadonlyMap<string, number> {
    const members = new Map<string, number>();
    this.budget.spendHeld(map.count);
    for (const [keyPos, pos] of this.#pairs(map)) {
      const key = this.read(keyPos, map.field);
      if (typeof key !== 'string') {
        throw new Unanswered(`field ${map.field} holds a map with keys that are not strings`);
      }
      if (members.has(key)) throw twice(map);
      members.set(key, pos);
    }
    return members;
  }

  *#pairs(map: Stored): Generator<[key: number, value: number]> {
    let pos = map.pos + headerSize(this.#raw, map.pos);
    for (let i = 0; i < map.count; i++) {
      const value = this.#after(pos);
      yield [pos, value];
      pos = this.#after(value);
    }
  }

  /** Returns the number of elements or pairs. */
  sizeOf(value: Stored): number {
    return value.kind === 'map' ? this.members(value).size : value.count;
  }
}

function twice({ field }: Stored): Unanswered {
  return new Unanswered(`field ${field} holds a map with a duplicate key`);
}
