import { csvFormatValue, tsvFormatValue } from 'd3-dsv';
import { Opaque } from '../tuple/carried.js';
import { Datetime } from '../tuple/datetime.js';
import { Interval } from '../tuple/interval.js';
import { skip } from '../tuple/msgpack.js';
import { PlainCopy, SMALL_BUFFER, TextBuffer } from './buffer.js';
import { JsonWriter } from './json.js';
import type { Layout } from './layout.js';
import type { Row } from './row.js';
import {
  bodyStart,
  datetimeText,
  KINDS,
  Kind,
  readExtension,
  readFloat,
  stringEnd,
  writeFloat,
  writeInteger,
} from './scalars.js';
import type { Strings } from './strings.js';
import { Unfit } from './unfit.js';
import type { RowWriter } from './writer.js';

const QUOTE = 0x22;

interface Dialect {
  delimiter: string;
  /** A value with quotes around it, where it needs them. */
  format: (value: string) => string;
}

const DIALECTS: Readonly<Record<'csv' | 'tsv', Dialect>> = {
  csv: { delimiter: ',', format: csvFormatValue },
  tsv: { delimiter: '\t', format: tsvFormatValue },
};

/**
 * RFC 4180 with line feeds: a line with the names, then a line a row. Null is nothing, and an empty string
 * two quotes.
 */
export class CsvRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #scratch = new TextBuffer(SMALL_BUFFER);
  readonly #json: JsonWriter;
  readonly #plain: PlainCopy;
  readonly #unquoted: PlainCopy;
  /** What makes that a value is quoted. */
  readonly #isSpecial: Uint8Array;
  readonly #delimiter: number;
  readonly #format: (value: string) => string;

  constructor(text: TextBuffer, layout: Layout, kind: keyof typeof DIALECTS, strings: Strings) {
    const { delimiter, format } = DIALECTS[kind];
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#json = new JsonWriter(this.#scratch, { strings });
    this.#unquoted = new PlainCopy(text, '"');
    this.#plain = new PlainCopy(text, `"${delimiter}`);
    const special = Buffer.from(`"\r\n${delimiter}`);
    this.#isSpecial = Uint8Array.from({ length: 256 }, (_, byte) =>
      special.includes(byte) ? 1 : 0,
    );
    this.#delimiter = delimiter.charCodeAt(0);
    this.#format = format;
  }

  begin(): void {
    for (const [i, { name }] of this.#layout.columns.entries()) {
      if (i > 0) this.#text.byte(this.#delimiter);
      this.#text.text(this.#format(name));
    }
    this.#text.byte(0x0a);
  }

  row(row: Row): void {
    const { columns } = this.#layout;
    checkWidth(this.#layout, row);
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) this.#text.byte(this.#delimiter);
      const at = row.at(columns[i]!.fieldNo);
      if (at >= 0) this.#cell(row.buf, at);
    }
    this.#text.byte(0x0a);
  }

  end(): void {}

  get notes(): readonly string[] {
    return this.#strings.notes;
  }

  #cell(buf: Buffer, pos: number): void {
    const text = this.#text;
    switch (KINDS[buf[pos]!]) {
      case Kind.NIL:
        break;
      case Kind.BOOLEAN:
        text.latin1(buf[pos] === 0xc3 ? 'true' : 'false');
        break;
      case Kind.INTEGER:
        writeInteger(text, buf, pos);
        break;
      case Kind.FLOAT:
        writeFloat(text, readFloat(buf, pos));
        break;
      case Kind.STRING:
        this.#string(buf, bodyStart(buf, pos), stringEnd(buf, pos));
        break;
      case Kind.BINARY: {
        const end = skip(buf, pos, buf.length);
        text.latin1(buf.toString('base64', bodyStart(buf, pos), end) || '""');
        break;
      }
      case Kind.EXTENSION:
        this.#extension(buf, pos);
        break;
      default:
        this.#asJson(buf, pos);
    }
  }

  /** @param isText - it is known that it can be written as it is */
  #string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.#text;
    const before = text.length;
    text.reserve(end - start + 2);
    let pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.#strings.isMarking)) {
      const other = this.#strings.instead(buf, start, end);
      if (other !== undefined) {
        text.length = before;
        this.#string(other, 0, other.length, true);
        return;
      }
    }
    for (; pos < end; pos = this.#plain.run(buf, pos + 1, end)) {
      const byte = buf[pos]!;
      if (this.#isSpecial[byte] === 1) {
        text.length = before;
        // as if it were Latin-1: all that is looked at is ASCII, and all bytes stay as they are
        text.latin1(this.#format(buf.toString('latin1', start, end)));
        return;
      }
      text.bytes[text.length++] = byte;
    }
    if (start === end) text.latin1('""');
  }

  #extension(buf: Buffer, pos: number): void {
    const value = readExtension(buf, pos, skip(buf, pos, buf.length));
    if (value instanceof Interval || value instanceof Opaque) this.#asJson(buf, pos);
    else this.#text.latin1(value instanceof Datetime ? datetimeText(value) : String(value));
  }

  /** Quoted by hand: nearly all JSON has quotes in it, and the library takes half of a row's time for them. */
  #asJson(buf: Buffer, pos: number): void {
    const [text, scratch] = [this.#text, this.#scratch];
    scratch.clear();
    this.#json.value(buf, pos);
    const { bytes, length } = scratch;
    text.reserve(2 * length + 2);
    text.bytes[text.length++] = QUOTE;
    for (let at = 0; ; at++) {
      at = this.#unquoted.run(bytes, at, length);
      if (at === length) break;
      if (bytes[at] === QUOTE) text.bytes[text.length++] = QUOTE;
      text.bytes[text.length++] = bytes[at]!;
    }
    text.bytes[text.length++] = QUOTE;
  }
}

/** @throws Unfit for a row with fields that no column is for */
export function checkWidth({ columns, isChosen }: Layout, row: Row): void {
  if (isChosen || row.count <= columns.length) return;
  throw new Unfit(
    `a row of ${row.count} fields, where there are ${columns.length} columns`,
    'say which fields are wanted, by name or number, e.g. --fields 1,2,3',
  );
}
