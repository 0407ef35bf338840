import { shorten } from '../base/report.js';
import { Datetime } from '../tuple/datetime.js';
import { Opaque } from '../tuple/exact-types.js';
import { Interval } from '../tuple/interval.js';
import { skip } from '../tuple/msgpack.js';
import type { Row } from '../tuple/row.js';
import { PlainCopy, SMALL_BUFFER, TextBuffer } from './buffer.js';
import { JsonWriter } from './json.js';
import { checkColumns, type Layout } from './layout.js';
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
import { PIECE_BYTES, type Strings } from './strings.js';
import { Unrepresentable } from './unrepresentable.js';
import type { RowWriter } from './writer.js';

const QUOTE = 0x22;

const DELIMITERS = { csv: ',', tsv: '\t' } as const;

/** Matches text that may begin a formula in a cell of a spreadsheet, full-width characters included. */
const FORMULA = /^(?:[=+\-@\t\r\n]|\xef\xbc[\x9d\x8b\x8d\xa0])/;
/** A spreadsheet reads the characters after it as text. */
const APOSTROPHE = 0x27;

/** Options of CSV. */
export interface CsvOptions {
  /** Put an apostrophe before text that a spreadsheet would run as a formula. */
  escapeFormulas?: boolean | undefined;
}

/**
 * Writes CSV of RFC 4180 with line feeds: a line with the names, then a line for each row. Null is empty, and an
 * empty string is two quotes.
 */
export class CsvRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #scratch = new TextBuffer(SMALL_BUFFER);
  readonly #json: JsonWriter;
  readonly #plain: PlainCopy;
  readonly #unquoted: PlainCopy;
  /** The bytes that require quotes, by their code. */
  readonly #isSpecial: Uint8Array;
  readonly #delimiter: number;
  readonly #escapesFormulas: boolean;
  /** The number of rows with only one column, which was null. */
  #emptyLines = 0;
  #fieldNo = -1;

  /** @throws Unrepresentable for fields without a column, and for two columns with the same name */
  constructor(
    text: TextBuffer,
    layout: Layout,
    kind: keyof typeof DELIMITERS,
    strings: Strings,
    { escapeFormulas = false }: CsvOptions = {},
  ) {
    const delimiter = DELIMITERS[kind];
    checkColumns(layout);
    checkNames(layout);
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
    this.#escapesFormulas = escapeFormulas;
  }

  begin(): void {
    for (const [i, { name }] of this.#layout.columns.entries()) {
      if (i > 0) this.#text.byte(this.#delimiter);
      const bytes = Buffer.from(name);
      this.#string(bytes, 0, bytes.length, true);
    }
    this.#text.byte(0x0a);
  }

  get fieldNo(): number {
    return this.#fieldNo;
  }

  row(row: Row): void {
    const { columns } = this.#layout;
    this.#check(row);
    for (let i = 0; i < columns.length; i++) {
      const at = this.#place(row, i);
      if (at >= 0) this.#cell(row.buf, at);
    }
    this.#text.byte(0x0a);
  }

  *pieces(row: Row): Generator<void> {
    const { columns } = this.#layout;
    this.#check(row);
    for (let i = 0; i < columns.length; i++) {
      const at = this.#place(row, i);
      if (at >= 0) yield* this.#cellPieces(row.buf, at);
    }
    this.#text.byte(0x0a);
  }

  #check(row: Row): void {
    const { columns } = this.#layout;
    this.#fieldNo = -1;
    checkWidth(this.#layout, row);
    if (columns.length > 1) return;
    const at = row.at(columns[0]?.fieldNo ?? 0);
    if (at < 0 || KINDS[row.buf[at]!] === Kind.NIL) this.#emptyLines++;
  }

  /** Writes the separator before column `i`, and returns the offset of its value. */
  #place(row: Row, i: number): number {
    if (i > 0) this.#text.byte(this.#delimiter);
    this.#fieldNo = this.#layout.columns[i]!.fieldNo;
    return row.at(this.#fieldNo);
  }

  end(): void {}

  get notes(): readonly string[] {
    const lines = this.#emptyLines;
    if (lines === 0) return this.#strings.notes;
    const rows = lines === 1 ? '1 row is an empty line' : `${lines} rows are empty lines`;
    return [
      `${rows}, because its one column is null, and many readers skip empty lines: add a field with --fields, or use --format ndjson`,
      ...this.#strings.notes,
    ];
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
        const base64 = buf.toString('base64', bodyStart(buf, pos), end);
        this.#shield(base64);
        text.latin1(base64 || '""');
        break;
      }
      case Kind.EXTENSION:
        this.#extension(buf, pos);
        break;
      default:
        this.#asJson(buf, pos);
    }
  }

  *#cellPieces(buf: Buffer, pos: number): Generator<void> {
    const kind = KINDS[buf[pos]!];
    const text = this.#text;
    if (kind === Kind.ARRAY || kind === Kind.MAP) {
      yield* this.#jsonPieces(buf, pos);
      return;
    }
    const end = skip(buf, pos, buf.length);
    if (end - pos <= PIECE_BYTES) {
      this.#cell(buf, pos);
      return;
    }
    const start = bodyStart(buf, pos);
    if (kind === Kind.STRING) {
      const value = buf.subarray(start, end);
      const isQuoted = [QUOTE, 0x0d, 0x0a, this.#delimiter].some((byte) => value.includes(byte));
      if (isQuoted) text.byte(QUOTE);
      this.#shield(value.toString('latin1', 0, 3));
      for (const piece of this.#strings.pieces(buf, start, end)) {
        this.#unquoted.doubling(piece, 0, piece.length, QUOTE);
        if (text.isFull) yield;
      }
      if (isQuoted) text.byte(QUOTE);
    } else if (kind === Kind.BINARY) {
      this.#shield(buf.toString('base64', start, start + 3));
      for (let at = start; at < end; at += PIECE_BYTES) {
        text.latin1(buf.toString('base64', at, Math.min(at + PIECE_BYTES, end)));
        if (text.isFull) yield;
      }
    } else yield* this.#jsonPieces(buf, pos);
  }

  /** @param isText - true if the string is known to need no replacement */
  #string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.#text;
    const before = text.length;
    if (this.#escapesFormulas)
      this.#shield(buf.toString('latin1', start, Math.min(start + 3, end)));
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
        this.#quoted(buf, start, end);
        return;
      }
      text.bytes[text.length++] = byte;
    }
    if (start === end) text.latin1('""');
  }

  #quoted(buf: Buffer, start: number, end: number): void {
    this.#text.byte(QUOTE);
    if (this.#escapesFormulas)
      this.#shield(buf.toString('latin1', start, Math.min(start + 3, end)));
    this.#unquoted.doubling(buf, start, end, QUOTE);
    this.#text.byte(QUOTE);
  }

  /**
   * Prevents a spreadsheet from running a cell.
   *
   * @param beginning - the first bytes of the cell, each byte a character
   */
  #shield(beginning: string): void {
    if (this.#escapesFormulas && FORMULA.test(beginning)) this.#text.byte(APOSTROPHE);
  }

  #extension(buf: Buffer, pos: number): void {
    const value = readExtension(buf, pos, skip(buf, pos, buf.length));
    if (value instanceof Interval || value instanceof Opaque) this.#asJson(buf, pos);
    else if (value instanceof Datetime) {
      const shown = datetimeText(value);
      this.#shield(shown);
      this.#text.latin1(shown);
    } else this.#text.latin1(String(value));
  }

  /** Writes JSON in quotes, because nearly all JSON contains quotes. */
  #asJson(buf: Buffer, pos: number): void {
    const scratch = this.#scratch;
    scratch.clear();
    this.#json.value(buf, pos);
    this.#text.byte(QUOTE);
    this.#unquoted.doubling(scratch.bytes, 0, scratch.length, QUOTE);
    this.#text.byte(QUOTE);
  }

  *#jsonPieces(buf: Buffer, pos: number): Generator<void> {
    const scratch = this.#scratch;
    scratch.clear();
    this.#text.byte(QUOTE);
    for (const _ of this.#json.pieces(buf, pos)) {
      this.#unquoted.doubling(scratch.bytes, 0, scratch.length, QUOTE);
      scratch.clear();
      yield;
    }
    this.#unquoted.doubling(scratch.bytes, 0, scratch.length, QUOTE);
    this.#text.byte(QUOTE);
  }
}

function checkNames({ columns }: Layout): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) {
      throw new Unrepresentable(
        `two columns have the name ${JSON.stringify(shorten(name))}`,
        'choose fields by number, e.g. --fields 1,3, or use --format ndjson',
      );
    }
    seen.add(name);
  }
}

/**
 * Checks the number of fields of a row.
 *
 * @throws Unrepresentable for a row with more fields than columns
 */
export function checkWidth({ columns, isChosen }: Layout, row: Row): void {
  if (isChosen || row.count <= columns.length) return;
  throw new Unrepresentable(
    `a row has ${row.count} fields, but there are only ${columns.length} columns`,
    'choose fields by name or number, e.g. --fields 1,2,3',
  );
}
