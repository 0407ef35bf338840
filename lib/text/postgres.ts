import { quoted } from '../base/report.js';
import { Datetime } from '../tuple/datetime.js';
import type { Decimal } from '../tuple/decimal.js';
import { readInteger } from '../tuple/integers.js';
import type { Row } from '../tuple/row.js';
import type { Uuid } from '../tuple/uuid.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { Cells } from './cells.js';
import { checkWidth } from './csv.js';
import type { Layout, TextColumn } from './layout.js';
import { POSTGRES_LIMITS } from './limits.js';
import { isLongNumber, LongNumber, LongNumbers } from './long-numbers.js';
import { MAX_INDEX_ROW, numericSize, PostgresSizes } from './postgres-sizes.js';
import { floatText, writeFloat, writeInteger } from './scalars.js';
import { PIECE_BYTES, type Strings } from './strings.js';
import {
  addKey,
  columnList,
  createTable,
  type Group,
  groupOf,
  identifier,
  type Table,
  type TableIndex,
  tableOf,
} from './table.js';
import { minusZero, Unrepresentable } from './unrepresentable.js';
import type { RowWriter } from './writer.js';

const SERVER = POSTGRES_LIMITS.database;

/** Types of integers by their size. Others are `numeric(20)`, which holds all integers of 64 bits, signed or not. */
const SIZED: ReadonlyMap<string, string> = new Map([
  ['int8', 'smallint'],
  ['int16', 'smallint'],
  ['int32', 'integer'],
  ['int64', 'bigint'],
  ['uint8', 'smallint'],
  ['uint16', 'integer'],
  ['uint32', 'bigint'],
  ['float32', 'real'],
]);

const TYPES: Readonly<Record<Group, string>> = {
  integer: 'numeric(20)',
  number: 'numeric',
  float: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  string: 'text',
  binary: 'bytea',
  uuid: 'uuid',
  datetime: 'timestamptz',
  json: 'jsonb',
};

const typeOf = ({ type }: TextColumn): string => SIZED.get(type) ?? TYPES[groupOf(type)];

/** The start of a transaction with the table and its COPY: a cut stream leaves nothing behind. */
const BEFORE = `\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_encoding TO 'UTF8';
`;

/**
 * The limits of a timestamp in seconds from 1970: `MIN_TIMESTAMP` and `END_TIMESTAMP` of
 * `src/include/datatype/timestamp.h`.
 */
const FIRST_SECOND = -210_866_803_200n;
const END_SECOND = 9_224_318_016_000n;

/** Escapes of bytes with a special meaning in COPY. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

/** The size of `JsonbContainer` and `JEntry` of `src/include/utils/jsonb.h`, with alignment of a number. */
const JSONB_HEADERS = 16;

class CopyCells extends Cells {
  readonly #plain: PlainCopy;
  /** The number of datetimes that lost precision. */
  blurred = 0;
  /** The size of the last value in bytes; -1 for null. It is not set for types of a fixed size. */
  size = 0;
  /** The kind of the last number, if it has many digits and its column holds numbers of all kinds. */
  long: number = LongNumber.NONE;

  constructor(text: TextBuffer, columns: readonly TextColumn[], strings: Strings) {
    super(text, columns, strings, { noZero: SERVER, noMinusZero: 'jsonb' });
    this.#plain = new PlainCopy(text, '\\');
  }

  protected null(): void {
    this.size = -1;
    this.text.latin1('\\N');
  }

  protected boolean(value: boolean): void {
    this.size = 1;
    this.text.byte(value ? 0x74 : 0x66);
  }

  protected integer(buf: Buffer, pos: number): void {
    const digits = String(readInteger(buf, pos));
    this.size = numericSize(digits);
    if (isLongNumber(digits)) this.long = LongNumber.EXACT;
    writeInteger(this.text, buf, pos);
  }

  protected float(value: number, group: Group): void {
    if (group === 'number' && Object.is(value, -0)) throw minusZero('numeric');
    const digits = floatText(value);
    this.size = numericSize(digits);
    if (group === 'number' && isLongNumber(digits)) this.long = LongNumber.FLOAT;
    writeFloat(this.text, value);
  }

  protected decimal(value: Decimal): void {
    const digits = String(value);
    this.size = numericSize(digits);
    if (isLongNumber(digits)) this.long = LongNumber.EXACT;
    this.text.latin1(digits);
  }

  protected uuid(value: Uuid): void {
    this.size = 16;
    this.text.latin1(String(value));
  }

  protected binary(buf: Buffer, start: number, end: number): void {
    this.size = end - start;
    this.text.latin1('\\\\x');
    this.text.latin1(buf.toString('hex', start, end));
  }

  protected datetime(value: Datetime): void {
    const { seconds, nanoseconds, offsetMinutes, tzIndex } = value;
    if (seconds < FIRST_SECOND || seconds >= END_SECOND) {
      throw new Unrepresentable(
        `a datetime that ${SERVER} cannot hold: ${value}`,
        'leave the field out with --fields, or use --format sql, which writes it as text',
      );
    }
    this.size = 8;
    if (nanoseconds % 1000 !== 0 || offsetMinutes !== 0 || tzIndex !== 0) this.blurred++;
    this.text.latin1(timestamp(seconds, nanoseconds));
  }

  protected string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.text;
    const before = text.length;
    text.reserve(end - start);
    this.size = end - start;
    const pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.strings.isMarking)) {
      const other = this.strings.instead(buf, start, end, SERVER);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    this.#escape(buf, pos, end);
  }

  #escape(buf: Buffer, start: number, end: number): void {
    const text = this.text;
    text.reserve(2 * (end - start));
    for (let pos = start; ; pos++) {
      pos = this.#plain.run(buf, pos, end);
      if (pos >= end) break;
      const escaped = ESCAPES.get(buf[pos]!);
      if (escaped === undefined) text.bytes[text.length++] = buf[pos]!;
      else text.latin1(escaped);
    }
  }

  protected *stringPieces(buf: Buffer, start: number, end: number): Generator<void> {
    let size = 0;
    for (const piece of this.strings.pieces(buf, start, end, SERVER)) {
      size += piece.length;
      this.#escape(piece, 0, piece.length);
      if (this.text.isFull) yield;
    }
    this.size = size;
  }

  protected *binaryPieces(buf: Buffer, start: number, end: number): Generator<void> {
    this.size = end - start;
    this.text.latin1('\\\\x');
    yield* this.hexPieces(buf, start, end);
  }

  /** The size in jsonb of a value with long JSON is not known, but no index has room for it. */
  protected *jsonPieces(scratch: TextBuffer, parts: Iterable<unknown>): Generator<void> {
    this.size = PIECE_BYTES;
    for (const _ of parts) {
      this.#escape(scratch.bytes, 0, scratch.length);
      scratch.clear();
      yield;
    }
    this.#escape(scratch.bytes, 0, scratch.length);
  }

  protected json(buf: Buffer, start: number, end: number): void {
    this.string(buf, start, end, true);
    this.size += JSONB_HEADERS;
  }
}

/** Returns a moment in UTC to the microsecond. Years before the first count backwards. */
function timestamp(seconds: bigint, nanoseconds: number): string {
  const micros = Math.floor(nanoseconds / 1000);
  const text = String(Datetime.from({ seconds, nanoseconds: micros * 1000 }));
  const [, year = '', rest = ''] = /^([+-]?\d+)-(.*?)(?:000)?Z$/.exec(text) ?? [];
  const number = Number(year);
  const shown = String(number > 0 ? number : 1 - number).padStart(4, '0');
  return `${shown}-${rest.replace('T', ' ')}+00${number > 0 ? '' : ' BC'}`;
}

/** Writes the table, and its rows as text for COPY; for `psql`, which stops at the first error. */
export class PostgresRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #table: Table;
  readonly #cells: CopyCells;
  readonly #sizes: PostgresSizes;
  /** All indexes of the table, the primary key first. */
  readonly #keys: readonly TableIndex[];
  readonly #longNumbers = new LongNumbers();
  #fieldNo = -1;

  constructor(text: TextBuffer, layout: Layout, strings: Strings) {
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#table = tableOf(layout, POSTGRES_LIMITS, strings, {
      datetime: 'datetimes lose precision',
    });
    this.#cells = new CopyCells(text, layout.columns, strings);
    const { indexes, primaryKey } = this.#table;
    this.#keys = primaryKey === undefined ? indexes : [primaryKey, ...indexes];
    this.#sizes = new PostgresSizes(layout.columns, this.#keys);
  }

  begin(): void {
    const table = this.#table;
    this.#text.text(BEFORE + createTable(table, { typeOf, isKeyLater: true }));
    this.#text.text(`COPY ${identifier(table.name)} ${columnList(table.columns)} FROM STDIN;\n`);
  }

  get fieldNo(): number {
    return this.#fieldNo;
  }

  row(row: Row): void {
    this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      this.#cells.write(row, i);
      this.#note(i);
    }
    this.#close();
  }

  *pieces(row: Row): Generator<void> {
    this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      yield* this.#cells.pieces(row, i);
      this.#note(i);
    }
    this.#close();
  }

  #open(row: Row): void {
    this.#fieldNo = -1;
    checkWidth(this.#layout, row);
  }

  #next(column: number): void {
    if (column > 0) this.#text.byte(0x09);
    this.#fieldNo = this.#layout.columns[column]!.fieldNo;
  }

  /** Records what the indexes of a column depend on in a value. */
  #note(column: number): void {
    const { long, size } = this.#cells;
    this.#sizes.sizes[column] = size;
    this.#longNumbers.add(this.#layout.columns[column]!, long);
    this.#cells.long = LongNumber.NONE;
  }

  #close(): void {
    this.#fieldNo = -1;
    this.#text.byte(0x0a);
    this.#sizes.check();
  }

  end(): void {
    const { tooLong } = this.#sizes;
    const made = this.#keys
      .filter((index) => !tooLong.has(index))
      .map((index) => addKey(this.#table, this.#longNumbers.made(index)));
    this.#text.text(`\\.\n${made.join('')}COMMIT;\n`);
  }

  get notes(): readonly string[] {
    const { blurred } = this.#cells;
    const lost = `${blurred} datetimes lose precision: timestamptz keeps microseconds and no time zone`;
    const long = [...this.#sizes.tooLong].map(
      ([{ name }, bytes]) =>
        `index ${quoted(name)} is left out: a key in it has ${bytes} bytes, and the limit of ${SERVER} is ${MAX_INDEX_ROW}`,
    );
    return [
      ...this.#table.leftOut,
      ...this.#longNumbers.notes(this.#keys),
      ...long,
      ...(blurred === 0 ? [] : [lost]),
      ...this.#strings.notes,
    ];
  }
}
