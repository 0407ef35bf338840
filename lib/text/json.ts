import { Opaque } from '../tuple/carried.js';
import { Datetime } from '../tuple/datetime.js';
import { Interval } from '../tuple/interval.js';
import { headerSize, isString, memberCount, skip } from '../tuple/msgpack.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { readErrorStack } from './errors.js';
import {
  bodyStart,
  datetimeText,
  floatText,
  KINDS,
  Kind,
  readExtension,
  readFloat,
  stringEnd,
  writeFloat,
  writeInteger,
} from './scalars.js';
import { Strings } from './strings.js';
import { Unfit } from './unfit.js';

/** Containers in each other: as deep as recursion goes safely, and far deeper than data is. */
const MAX_DEPTH = 512;
/** So many keys are compared with each other, more of them by a set. */
const FEW_KEYS = 16;

const QUOTE = 0x22;
const DOLLAR = 0x24;
const COMMA = 0x2c;
const COLON = 0x3a;

const ESCAPES = Array.from({ length: 256 }, (_, byte) =>
  JSON.stringify(String.fromCharCode(byte)).slice(1, -1),
);

/** What a JSON text has in place of strings that not every reader takes. */
export interface JsonOptions {
  /** By default, strings that are not valid UTF-8 are an error. */
  strings?: Strings;
  /** What takes no strings with a zero byte; absent: they stay. */
  noZero?: string | undefined;
}

/** Writes MessagePack values as JSON, without decoding what can be copied. */
export class JsonWriter {
  readonly #text: TextBuffer;
  readonly #strings: Strings;
  readonly #noZero: string | undefined;
  readonly #plain: PlainCopy;
  /** Where the keys of the map at hand begin and end. */
  readonly #keys = new Int32Array(2 * FEW_KEYS);
  #depth = 0;

  constructor(text: TextBuffer, { strings = new Strings(), noZero }: JsonOptions = {}) {
    this.#text = text;
    this.#strings = strings;
    this.#plain = new PlainCopy(text, '"\\');
    this.#noZero = noZero;
  }

  /**
   * Writes the value at `pos`.
   *
   * @returns the offset behind it
   * @throws Unfit for a string that is no UTF-8, and for what nests deeper than 512 containers
   */
  value(buf: Buffer, pos: number): number {
    const text = this.#text;
    switch (KINDS[buf[pos]!]) {
      case Kind.NIL:
        text.latin1('null');
        return pos + 1;
      case Kind.BOOLEAN:
        text.latin1(buf[pos] === 0xc3 ? 'true' : 'false');
        return pos + 1;
      case Kind.INTEGER:
        writeInteger(text, buf, pos);
        return buf[pos]! < 0x80 ? pos + 1 : skip(buf, pos, buf.length);
      case Kind.FLOAT:
        this.#float(readFloat(buf, pos));
        return pos + (buf[pos] === 0xca ? 5 : 9);
      case Kind.STRING: {
        const end = stringEnd(buf, pos);
        this.string(buf, bodyStart(buf, pos), end);
        return end;
      }
      case Kind.BINARY: {
        const end = skip(buf, pos, buf.length);
        this.#quotedText(buf.toString('base64', bodyStart(buf, pos), end));
        return end;
      }
      case Kind.ARRAY:
        return this.#array(buf, pos);
      case Kind.MAP:
        return this.#map(buf, pos);
      default:
        return this.#extension(buf, pos);
    }
  }

  /**
   * Writes the string whose bytes are from `start` to `end`.
   *
   * @param isText - it is known that it can be written as it is
   */
  string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.#text;
    const before = text.length;
    text.reserve(end - start + 2);
    text.bytes[text.length++] = QUOTE;
    let pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.#strings.isMarking)) {
      const other = this.#strings.instead(buf, start, end, this.#noZero);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    while (pos < end) {
      this.#special(buf[pos]!);
      text.reserve(end - pos + 1);
      pos = this.#plain.run(buf, pos + 1, end);
    }
    text.bytes[text.length++] = QUOTE;
  }

  #special(byte: number): void {
    if (byte >= 0x80) this.#text.byte(byte);
    else this.#text.latin1(ESCAPES[byte]!);
  }

  /** @param value - of ASCII without anything to escape */
  #quotedText(value: string): void {
    this.#text.byte(QUOTE);
    this.#text.latin1(value);
    this.#text.byte(QUOTE);
  }

  #float(value: number): void {
    if (Number.isFinite(value)) writeFloat(this.#text, value);
    else this.#quotedText(floatText(value));
  }

  #enter(): void {
    if (++this.#depth <= MAX_DEPTH) return;
    throw new Unfit(
      `a value that nests deeper than ${MAX_DEPTH} containers`,
      'leave the field out with --fields, or use --format msgpack',
    );
  }

  #array(buf: Buffer, start: number): number {
    const text = this.#text;
    let pos = start + headerSize(buf, start);
    this.#enter();
    text.byte(0x5b);
    for (let i = 0, count = memberCount(buf, start); i < count; i++) {
      if (i > 0) text.byte(COMMA);
      pos = this.value(buf, pos);
    }
    text.byte(0x5d);
    this.#depth--;
    return pos;
  }

  #map(buf: Buffer, start: number): number {
    const text = this.#text;
    const count = memberCount(buf, start);
    let pos = start + headerSize(buf, start);
    const isObject = this.#isObject(buf, pos, count);
    this.#enter();
    text.latin1(isObject ? '{' : '{"$map":[');
    for (let i = 0; i < count; i++) {
      if (i > 0) text.byte(COMMA);
      if (!isObject) text.byte(0x5b);
      pos = this.value(buf, pos);
      text.byte(isObject ? COLON : COMMA);
      pos = this.value(buf, pos);
      if (!isObject) text.byte(0x5d);
    }
    text.latin1(isObject ? '}' : ']}');
    this.#depth--;
    return pos;
  }

  #extension(buf: Buffer, pos: number): number {
    const end = skip(buf, pos, buf.length);
    const value = readExtension(buf, pos, end);
    if (value instanceof Interval) {
      const { adjust, ...rest } = value.parts;
      const parts = Object.entries({ ...rest, adjust }).filter(
        ([, part]) => Number(part ?? 0) !== 0,
      );
      this.#text.latin1(`{${parts.map(([name, part]) => `"${name}":${part}`).join()}}`);
    } else if (value instanceof Opaque) {
      const stack = readErrorStack(value);
      if (stack === undefined) {
        this.#text.latin1(`{"$ext":[${value.type},`);
        this.#quotedText(Buffer.from(value.payload).toString('base64'));
        this.#text.latin1(']}');
      } else {
        this.#text.latin1('{"$error":');
        this.value(stack, 0);
        this.#text.byte(0x7d);
      }
    } else {
      this.#quotedText(value instanceof Datetime ? datetimeText(value) : String(value));
    }
    return end;
  }

  /**
   * True where each key is a string and there once, and stays so where something is written in its place, and the
   * map cannot be taken for what stands for something else: that has one key, which begins with a dollar sign.
   */
  #isObject(buf: Buffer, first: number, count: number): boolean {
    if (this.#strings.isLossy && !this.#hasTextKeys(buf, first, count)) return false;
    if (count > FEW_KEYS) return isLargeObject(buf, first, count);
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
      pos = skip(buf, end, buf.length);
    }
    return count !== 1 || keys[0] === keys[1] || buf[keys[0]!] !== DOLLAR;
  }

  #hasTextKeys(buf: Buffer, first: number, count: number): boolean {
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

function isLargeObject(buf: Buffer, first: number, count: number): boolean {
  const keys = new Set<string>();
  let pos = first;
  for (let i = 0; i < count; i++) {
    if (!isString(buf[pos]!)) return false;
    const end = skip(buf, pos, buf.length);
    keys.add(buf.toString('latin1', bodyStart(buf, pos), end));
    pos = skip(buf, end, buf.length);
  }
  return keys.size === count;
}
