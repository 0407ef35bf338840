import { createHash } from 'node:crypto';
import { headerSize, isString, skip } from '../tuple/msgpack.js';
import { isShort, UNFINISHED, Walker } from '../tuple/walk.js';
import { bodyStart, stringEnd } from './scalars.js';
import type { Strings } from './strings.js';

/** Up to this number, keys are compared with each other; more keys are put into a set. */
const FEW_KEYS = 16;
/** With more keys, duplicates are not searched, because that would take too much memory. */
const MANY_KEYS = 1_000_000;
/** Longer keys, in bytes, are stored by their hash. */
const SHORT_KEY = 32;
/** The number of keys of a map that are compared in one turn. */
const TURN_KEYS = 4096;

const DOLLAR = 0x24;

/** Tells maps that can be JSON objects from those that cannot. */
export class ObjectKeys {
  readonly #strings: Strings;
  readonly #noZero: string | undefined;
  /** The offsets of the keys of the current map. */
  readonly #keys = new Int32Array(2 * FEW_KEYS);

  /** @param noZero - the database that cannot hold a zero byte; undefined if it can */
  constructor(strings: Strings, noZero: string | undefined) {
    this.#strings = strings;
    this.#noZero = noZero;
  }

  /**
   * Tells whether a map can be an object: each key is a string and unique, also after replacements, and the object
   * cannot be confused with a special form, which has one key that begins with a dollar sign. False for a map of more
   * than a million keys.
   *
   * @param first - the offset of the first key
   * @param count - the number of keys
   */
  areUnique(buf: Buffer, first: number, count: number): boolean {
    if (this.#strings.isLossy && !this.#areText(buf, first, count)) return false;
    if (count > FEW_KEYS) return this.#areManyUnique(buf, first, count);
    const keys = this.#keys;
    let pos = first;
    for (let i = 0; i < 2 * count; i += 2) {
      if (!isString(buf[pos]!)) return false;
      const start = bodyStart(buf, pos);
      const end = stringEnd(buf, pos);
      for (let j = 0; j < i; j += 2) {
        if (isSame(buf, start, end, keys[j]!, keys[j + 1]!)) return false;
      }
      keys[i] = start;
      keys[i + 1] = end;
      // No key follows the last value.
      if (i + 2 < 2 * count) pos = skip(buf, end, buf.length);
    }
    return count !== 1 || keys[0] === keys[1] || buf[keys[0]!] !== DOLLAR;
  }

  /** Does the same for the map at `start`, in turns if it has many values. */
  *areUniqueInTurns(buf: Buffer, start: number, count: number): Generator<void, boolean> {
    const first = start + headerSize(buf, start);
    if (isShort(buf, start)) return this.areUnique(buf, first, count);
    if (count > MANY_KEYS) return false;
    const walker = new Walker();
    const keys = new Set<string>();
    let pos = first;
    for (let i = 0; i < count; i++) {
      if (i % TURN_KEYS === TURN_KEYS - 1) yield;
      if (!isString(buf[pos]!)) return false;
      const [from, end] = [bodyStart(buf, pos), stringEnd(buf, pos)];
      if (this.#strings.isLossy && !this.#strings.isText(buf, from, end, this.#noZero))
        return false;
      if (count === 1) return from === end || buf[from] !== DOLLAR;
      const key = keyOf(buf, from, end);
      if (keys.has(key)) return false;
      keys.add(key);
      // No key follows the last value.
      if (i + 1 === count) break;
      pos = walker.begin(buf, end, buf.length);
      if (pos === UNFINISHED) pos = yield* walker.rest();
    }
    return true;
  }

  #areManyUnique(buf: Buffer, first: number, count: number): boolean {
    if (count > MANY_KEYS) return false;
    const keys = new Set<string>();
    let pos = first;
    for (let i = 0; i < count; i++) {
      if (!isString(buf[pos]!)) return false;
      const end = skip(buf, pos, buf.length);
      const key = keyOf(buf, bodyStart(buf, pos), end);
      if (keys.has(key)) return false;
      keys.add(key);
      if (i + 1 < count) pos = skip(buf, end, buf.length);
    }
    return true;
  }

  #areText(buf: Buffer, first: number, count: number): boolean {
    let pos = first;
    for (let i = 0; i < count; i++) {
      const end = skip(buf, pos, buf.length);
      const isKept =
        !isString(buf[pos]!) || this.#strings.isText(buf, bodyStart(buf, pos), end, this.#noZero);
      if (!isKept) return false;
      pos = skip(buf, end, buf.length);
    }
    return true;
  }
}

function isSame(buf: Buffer, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = a, j = b; i < aEnd; i++, j++) if (buf[i] !== buf[j]) return false;
  return true;
}

/** Returns a key in the form for a set: long keys by their hash. */
function keyOf(buf: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_KEY) return `=${buf.toString('latin1', start, end)}`;
  return createHash('sha256').update(buf.subarray(start, end)).digest('base64');
}
