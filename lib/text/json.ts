import { jsonText } from '../base/report.js';
import { Datetime } from '../tuple/datetime.js';
import { Opaque } from '../tuple/exact-types.js';
import { Interval } from '../tuple/interval.js';
import { headerSize, memberCount, skip } from '../tuple/msgpack.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { readErrorStack } from './errors.js';
import { ObjectKeys } from './object-keys.js';
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
import { PIECE_BYTES, Strings } from './strings.js';
import { minusZero, Unrepresentable } from './unrepresentable.js';

/** The limit of nested containers: safe for recursion, and far deeper than real data. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Escapes of bytes of ASCII. DEL is a control character, too, and JSON does not escape it. */
const ESCAPES = Array.from({ length: 128 }, (_, byte) =>
  jsonText(String.fromCharCode(byte)).slice(1, -1),
);

/** Replacements of values that not every reader accepts. */
export interface JsonOptions {
  /** Replacements of strings. By default, strings that are not valid UTF-8 are an error. */
  strings?: Strings;
  /** The database that cannot hold a zero byte; undefined if it can. */
  noZero?: string | undefined;
  /** The database that turns -0 into 0; undefined if it does not. */
  noMinusZero?: string | undefined;
}

/** The container around a value: an array, an object, or the pairs of a map that cannot be an object. */
const Form = { ARRAY: 0, OBJECT: 1, PAIRS: 2 } as const;

/** A container whose values are being written. */
interface Open {
  form: number;
  /** The number of values, and of the keys of a map. */
  count: number;
  /** The number of values that were begun. */
  begun: number;
}

/** Kinds whose longer values are written in parts. An error of such a size is treated as an unknown extension. */
const KINDS_OF_ANY_LENGTH: readonly number[] = [Kind.STRING, Kind.BINARY, Kind.EXTENSION];

/** Writes MessagePack values as JSON. Bytes that can be copied are not decoded. */
export class JsonWriter {
  readonly #text: TextBuffer;
  readonly #strings: Strings;
  readonly #noZero: string | undefined;
  readonly #noMinusZero: string | undefined;
  readonly #plain: PlainCopy;
  readonly #objectKeys: ObjectKeys;
  #depth = 0;

  constructor(
    text: TextBuffer,
    { strings = new Strings(), noZero, noMinusZero }: JsonOptions = {},
  ) {
    this.#text = text;
    this.#strings = strings;
    this.#plain = new PlainCopy(text, '"\\');
    this.#noZero = noZero;
    this.#objectKeys = new ObjectKeys(strings, noZero);
    this.#noMinusZero = noMinusZero;
  }

  /**
   * Writes the value at `pos`.
   *
   * @returns the offset after it
   * @throws Unrepresentable for a string that is not valid UTF-8, and for a value that nests deeper than 512 containers
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
   * Writes the string with the bytes from `start` to `end`.
   *
   * @param isText - true if the string is known to need no replacement
   */
  string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.#text;
    const before = text.length;
    text.reserve(end - start + 2);
    text.bytes[text.length++] = QUOTE;
    const pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.#strings.isMarking)) {
      const other = this.#strings.instead(buf, start, end, this.#noZero);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    this.#escape(buf, pos, end);
    text.byte(QUOTE);
  }

  /** Writes whole characters of a string. */
  #escape(buf: Buffer, start: number, end: number): void {
    const text = this.#text;
    text.reserve(end - start);
    for (let pos = this.#plain.run(buf, start, end); pos < end; ) {
      const byte = buf[pos]!;
      const control = byte < 0x80 ? 0 : controlAt(buf, pos, end);
      if (control !== 0) text.latin1(`\\u${control.toString(16).padStart(4, '0')}`);
      else if (byte < 0x80) text.latin1(ESCAPES[byte]!);
      else text.byte(byte);
      pos += control === 0 ? 1 : control < 0x100 ? 2 : 3;
      text.reserve(end - pos);
      pos = this.#plain.run(buf, pos, end);
    }
  }

  /**
   * Writes the value at `start` in parts, whatever its size. Yields whenever the text is full, and while it walks a
   * large map.
   *
   * @throws Unrepresentable like {@link value}
   */
  *pieces(buf: Buffer, start: number): Generator<void> {
    const text = this.#text;
    const open: Open[] = [];
    for (let pos = start; ; ) {
      const kind = KINDS[buf[pos]!];
      if ((kind === Kind.ARRAY || kind === Kind.MAP) && memberCount(buf, pos) > 0) {
        yield* this.#begin(buf, pos, open);
        pos += headerSize(buf, pos);
      } else if (KINDS_OF_ANY_LENGTH.includes(kind!)) {
        const end = skip(buf, pos, buf.length);
        if (end - pos > PIECE_BYTES) yield* this.#longValue(buf, bodyStart(buf, pos), end, kind!);
        else this.value(buf, pos);
        pos = end;
      } else {
        pos = this.value(buf, pos);
      }
      if (text.isFull) yield;
      if (!this.#next(open)) return;
    }
  }

  /** Writes the text before the next value, after closing finished containers. Returns false after the last value. */
  #next(open: Open[]): boolean {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (top.begun < top.count) {
        this.#text.latin1(separator(top));
        top.begun++;
        return true;
      }
      this.#text.latin1(closing(top));
      open.pop();
    }
    return false;
  }

  /** Writes the beginning of a container. */
  *#begin(buf: Buffer, pos: number, open: Open[]): Generator<void> {
    if (open.length >= MAX_DEPTH) throw tooDeep();
    const count = memberCount(buf, pos);
    if (KINDS[buf[pos]!] === Kind.ARRAY) {
      this.#text.byte(0x5b);
      open.push({ form: Form.ARRAY, count, begun: 0 });
      return;
    }
    const isObject = yield* this.#objectKeys.areUniqueInTurns(buf, pos, count);
    this.#text.latin1(isObject ? '{' : '{"$map":[');
    open.push({ form: isObject ? Form.OBJECT : Form.PAIRS, count: 2 * count, begun: 0 });
  }

  *#longValue(buf: Buffer, start: number, end: number, kind: number): Generator<void> {
    const text = this.#text;
    if (kind === Kind.EXTENSION) {
      text.latin1(`{"$ext":[${buf.readInt8(start)},"`);
      yield* this.#base64(buf, start + 1, end);
      text.latin1('"]}');
      return;
    }
    text.byte(QUOTE);
    if (kind === Kind.BINARY) yield* this.#base64(buf, start, end);
    else {
      for (const piece of this.#strings.pieces(buf, start, end, this.#noZero)) {
        this.#escape(piece, 0, piece.length);
        if (text.isFull) yield;
      }
    }
    text.byte(QUOTE);
  }

  *#base64(buf: Buffer, start: number, end: number): Generator<void> {
    for (let pos = start; pos < end; pos += PIECE_BYTES) {
      this.#text.latin1(buf.toString('base64', pos, Math.min(pos + PIECE_BYTES, end)));
      if (this.#text.isFull) yield;
    }
  }

  /** @param value - ASCII without characters to escape */
  #quotedText(value: string): void {
    this.#text.byte(QUOTE);
    this.#text.latin1(value);
    this.#text.byte(QUOTE);
  }

  #float(value: number): void {
    if (this.#noMinusZero !== undefined && Object.is(value, -0)) {
      throw minusZero(this.#noMinusZero);
    }
    if (Number.isFinite(value)) writeFloat(this.#text, value);
    else this.#quotedText(floatText(value));
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw tooDeep();
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
    const isObject = this.#objectKeys.areUnique(buf, pos, count);
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
}

/**
 * Returns the code of a character that controls terminals or changes the direction of text: C1, line and paragraph
 * separators, and overrides and isolates of direction. Returns 0 for any other.
 */
function controlAt(buf: Buffer, pos: number, end: number): number {
  const byte = buf[pos]!;
  if (byte === 0xc2) return pos + 1 < end && buf[pos + 1]! < 0xa0 ? buf[pos + 1]! : 0;
  if (byte !== 0xe2 || pos + 2 >= end) return 0;
  const [second, third] = [buf[pos + 1]!, buf[pos + 2]!];
  const isControl =
    (second === 0x80 && third >= 0xa8 && third <= 0xae) ||
    (second === 0x81 && third >= 0xa6 && third <= 0xa9);
  return isControl ? 0x2000 + ((second & 0x3f) << 6) + (third & 0x3f) : 0;
}

/** Returns the text before the next value of a container. */
function separator({ form, begun }: Open): string {
  if (begun % 2 === 1 && form === Form.OBJECT) return ':';
  if (begun % 2 === 0 && form === Form.PAIRS) return begun > 0 ? '],[' : '[';
  return begun > 0 ? ',' : '';
}

/** Returns the end of a container. */
function closing({ form, count }: Open): string {
  if (form === Form.ARRAY) return ']';
  if (form === Form.OBJECT) return '}';
  return count > 0 ? ']]}' : ']}';
}

function tooDeep(): Unrepresentable {
  return new Unrepresentable(
    `a value that nests deeper than ${MAX_DEPTH} containers`,
    'leave the field out with --fields, or use --format msgpack',
  );
}
