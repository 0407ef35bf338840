import { Datetime } from '../tuple/datetime.js';
import type { Decimal } from '../tuple/decimal.js';
import type { Uuid } from '../tuple/uuid.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { Cells } from './cells.js';
import { checkWidth } from './csv.js';
import type { Layout, TextColumn } from './layout.js';
import { POSTGRES_LIMITS } from './limits.js';
import type { Row } from './row.js';
import { writeFloat, writeInteger } from './scalars.js';
import type { Strings } from './strings.js';
import {
  columnList,
  createIndex,
  createTable,
  type Group,
  groupOf,
  identifier,
  type Table,
  tableOf,
} from './table.js';
import { Unfit } from './unfit.js';
import type { RowWriter } from './writer.js';

const SERVER = POSTGRES_LIMITS.database;

/** Integers of other sizes are `numeric(20)`, which holds all of 64 bits, with a sign or without. */
const SIZED: Readonly<Record<string, string>> = {
  int8: 'smallint',
  int16: 'smallint',
  int32: 'integer',
  int64: 'bigint',
  uint8: 'smallint',
  uint16: 'integer',
  uint32: 'bigint',
  float32: 'real',
};

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

const typeOf = ({ type }: TextColumn): string => SIZED[type] ?? TYPES[groupOf(type)];

/** A table and its COPY, in one transaction: of a stream that is cut nothing stays. */
const BEFORE = `\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_encoding TO 'UTF8';
`;

/** Seconds from 1970: `MIN_TIMESTAMP` and `END_TIMESTAMP` of `src/include/datatype/timestamp.h`. */
const FIRST_SECOND = -210_866_803_200n;
const END_SECOND = 9_224_318_016_000n;

/** What stands for a byte that COPY takes for something else. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

class CopyCells extends Cells {
  readonly #plain: PlainCopy;
  /** Datetimes of which less is kept than there was. */
  blurred = 0;

  constructor(text: TextBuffer, columns: readonly TextColumn[], strings: Strings) {
    super(text, columns, strings, SERVER);
    this.#plain = new PlainCopy(text, '\\');
  }

  protected null(): void {
    this.text.latin1('\\N');
  }

  protected boolean(value: boolean): void {
    this.text.byte(value ? 0x74 : 0x66);
  }

  protected integer(buf: Buffer, pos: number): void {
    writeInteger(this.text, buf, pos);
  }

  protected float(value: number): void {
    writeFloat(this.text, value);
  }

  protected decimal(value: Decimal): void {
    this.text.latin1(String(value));
  }

  protected uuid(value: Uuid): void {
    this.text.latin1(String(value));
  }

  protected binary(buf: Buffer, start: number, end: number): void {
    this.text.latin1('\\\\x');
    this.text.latin1(buf.toString('hex', start, end));
  }

  protected datetime(value: Datetime): void {
    const { seconds, nanoseconds, offsetMinutes, tzIndex } = value;
    if (seconds < FIRST_SECOND || seconds >= END_SECOND) {
      throw new Unfit(
        `a datetime that ${SERVER} cannot hold: ${value}`,
        'leave the field out with --fields, or use --format sql, which has text for it',
      );
    }
    if (nanoseconds % 1000 !== 0 || offsetMinutes !== 0 || tzIndex !== 0) this.blurred++;
    this.text.latin1(timestamp(seconds, nanoseconds));
  }

  protected string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.text;
    const before = text.length;
    text.reserve(end - start);
    let pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.strings.isMarking)) {
      const other = this.strings.instead(buf, start, end, SERVER);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    while (pos < end) {
      const byte = buf[pos]!;
      const escaped = ESCAPES.get(byte);
      if (escaped === undefined) text.byte(byte);
      else text.latin1(escaped);
      text.reserve(end - pos);
      pos = this.#plain.run(buf, pos + 1, end);
    }
  }

  protected json(buf: Buffer, start: number, end: number): void {
    this.string(buf, start, end, true);
  }
}

/** A moment in UTC, to the microsecond; years before the first are counted backwards. */
function timestamp(seconds: bigint, nanoseconds: number): string {
  const micros = Math.floor(nanoseconds / 1000);
  const text = String(Datetime.from({ seconds, nanoseconds: micros * 1000 }));
  const [, year = '', rest = ''] = /^([+-]?\d+)-(.*?)(?:000)?Z$/.exec(text) ?? [];
  const number = Number(year);
  const shown = String(number > 0 ? number : 1 - number).padStart(4, '0');
  return `${shown}-${rest.replace('T', ' ')}+00${number > 0 ? '' : ' BC'}`;
}

/** The table, and its rows as text for COPY; for `psql`, which stops at the first error. */
export class PostgresRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #table: Table;
  readonly #cells: CopyCells;

  constructor(text: TextBuffer, layout: Layout, strings: Strings) {
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#table = tableOf(layout, POSTGRES_LIMITS, strings, {
      datetime: 'less of a datetime is kept',
    });
    this.#cells = new CopyCells(text, layout.columns, strings);
  }

  begin(): void {
    const table = this.#table;
    this.#text.text(BEFORE + createTable(table, typeOf));
    this.#text.text(`COPY ${identifier(table.name)} ${columnList(table.columns)} FROM STDIN;\n`);
  }

  row(row: Row): void {
    const { columns } = this.#layout;
    checkWidth(this.#layout, row);
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) this.#text.byte(0x09);
      this.#cells.write(row, i);
    }
    this.#text.byte(0x0a);
  }

  end(): void {
    const table = this.#table;
    const indexes = table.indexes.map((index) => createIndex(table, index));
    this.#text.text(`\\.\n${indexes.join('')}COMMIT;\n`);
  }

  get notes(): readonly string[] {
    const { blurred } = this.#cells;
    const lost = `of ${blurred} datetimes timestamptz keeps the moment to the microsecond, and no zone`;
    return [...this.#table.leftOut, ...(blurred === 0 ? [] : [lost]), ...this.#strings.notes];
  }
}
