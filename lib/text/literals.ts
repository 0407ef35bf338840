import type { Datetime } from '../tuple/datetime.js';
import type { Decimal } from '../tuple/decimal.js';
import { readInteger } from '../tuple/integers.js';
import type { Uuid } from '../tuple/uuid.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { Cells } from './cells.js';
import type { TextColumn } from './layout.js';
import { SQL_LIMITS, SQLITE_LIMITS, type TableLimits } from './limits.js';
import { isLongNumber, LongNumber } from './long-numbers.js';
import { datetimeText, floatText, writeInteger } from './scalars.js';
import { sqliteFloat } from './sqlite-float.js';
import type { Strings } from './strings.js';
import { type Group, groupOf } from './table.js';
import { minusZero, Unrepresentable } from './unrepresentable.js';

/** The differences between two dialects of SQL. */
export interface Dialect {
  limits: TableLimits;
  begin: string;
  /** The text after the definition of a table. */
  ending: string;
  typeOf(column: TextColumn): string;
  /** Returns a number for a column of floats, or for one of all numbers. */
  float(value: number, group: Group): string;
  /** True for an integer that must be text to be exact. */
  isText(integer: number | bigint): boolean;
  /** Returns a decimal. */
  decimal(text: string): string;
  /** True if columns for numbers of all kinds have the type text: a float and a decimal may then have the same text. */
  hasTextNumbers: boolean;
  /** True if the program that loads the text turns a carriage return and a line feed into a line feed. */
  losesReturns: boolean;
  /** The database that cannot hold a string with a zero byte; if absent, such a string is written in hexadecimal. */
  noZero?: string;
}

const STANDARD_TYPES: Readonly<Record<Group, string>> = {
  integer: 'NUMERIC(20)',
  number: 'VARCHAR',
  float: 'DOUBLE PRECISION',
  decimal: 'VARCHAR',
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
  binary: 'BLOB',
  uuid: 'CHAR(36)',
  datetime: 'VARCHAR',
  json: 'VARCHAR',
};

/** Types of a STRICT table. ANY stores each value unchanged. */
const SQLITE_TYPES: Readonly<Record<Group, string>> = {
  integer: 'ANY',
  number: 'ANY',
  float: 'REAL',
  decimal: 'TEXT',
  boolean: 'INTEGER',
  string: 'TEXT',
  binary: 'BLOB',
  uuid: 'TEXT',
  datetime: 'TEXT',
  json: 'TEXT',
};

/** Types of integers that fit into 64 signed bits. */
const SIGNED = /^(int(8|16|32|64)|uint(8|16|32))$/;

const MAX_SIGNED = 2n ** 63n - 1n;

export const DIALECTS = {
  sql: {
    limits: SQL_LIMITS,
    begin: 'START TRANSACTION;\n',
    ending: '',
    typeOf: ({ type }) => STANDARD_TYPES[groupOf(type)],
    // A literal without an exponent is not a float, and would lose the sign of zero.
    float: (value) =>
      Number.isFinite(value) && !Object.is(value, -0)
        ? floatText(value)
        : `CAST('${floatText(value)}' AS DOUBLE PRECISION)`,
    isText: () => false,
    decimal: (text) => `'${text}'`,
    hasTextNumbers: true,
    losesReturns: false,
    noZero: 'a string literal of SQL',
  },
  sqlite: {
    limits: SQLITE_LIMITS,
    // By default, the shell continues after an error.
    begin: '.bail on\nBEGIN;\n',
    ending: ' STRICT',
    typeOf: ({ type }) => (SIGNED.test(type) ? 'INTEGER' : SQLITE_TYPES[groupOf(type)]),
    float: (value, group) => {
      if (Number.isNaN(value)) {
        throw new Unrepresentable(
          'a float that is not a number, which SQLite turns into null',
          'leave the field out with --fields, or use --format ndjson or csv',
        );
      }
      // A column of the type REAL stores whole numbers as integers; one of the type ANY does not.
      if (group === 'float' && Object.is(value, -0)) throw minusZero('a REAL column of SQLite');
      return sqliteFloat(value);
    },
    isText: (integer) => integer > MAX_SIGNED,
    decimal: (text) => `'${text}'`,
    // A float is REAL, a decimal is TEXT, and these are never equal.
    hasTextNumbers: false,
    // Source: `local_getline()` of the shell's shell.c.
    losesReturns: true,
  },
} as const satisfies Record<string, Dialect>;

const QUOTE = 0x27;

/** Writes values as SQL literals. */
export class LiteralCells extends Cells {
  /** The kind of the last number, if a number of another kind may have the same text. */
  long: number = LongNumber.NONE;
  readonly #plain: PlainCopy;
  readonly #dialect: Dialect;

  constructor(
    text: TextBuffer,
    columns: readonly TextColumn[],
    strings: Strings,
    dialect: Dialect,
  ) {
    super(text, columns, strings);
    this.#plain = new PlainCopy(text, "'");
    this.#dialect = dialect;
  }

  protected null(): void {
    this.text.latin1('NULL');
  }

  protected boolean(value: boolean): void {
    this.text.latin1(value ? 'TRUE' : 'FALSE');
  }

  protected integer(buf: Buffer, pos: number, group: Group): void {
    const isQuoted = this.#isQuoted(group) || this.#dialect.isText(readInteger(buf, pos));
    if (isQuoted) this.text.byte(QUOTE);
    writeInteger(this.text, buf, pos);
    if (isQuoted) this.text.byte(QUOTE);
  }

  /** Returns true for numbers of all kinds in a column of text. */
  #isQuoted(group: Group): boolean {
    return group === 'number' && this.#dialect.hasTextNumbers;
  }

  protected float(value: number, group: Group): void {
    if (!this.#isQuoted(group)) {
      this.text.latin1(this.#dialect.float(value, group));
      return;
    }
    const digits = floatText(value);
    if (isLongNumber(digits)) this.long = LongNumber.FLOAT;
    this.#literal(digits);
  }

  protected decimal(value: Decimal): void {
    const digits = String(value);
    if (isLongNumber(digits)) this.long = LongNumber.EXACT;
    this.text.latin1(this.#dialect.decimal(digits));
  }

  protected uuid(value: Uuid): void {
    this.#literal(String(value));
  }

  protected datetime(value: Datetime): void {
    this.#literal(datetimeText(value));
  }

  /** @param text - without characters to escape */
  #literal(text: string): void {
    this.text.latin1(`'${text}'`);
  }

  protected binary(buf: Buffer, start: number, end: number): void {
    this.text.latin1("X'");
    this.text.latin1(buf.toString('hex', start, end));
    this.text.byte(QUOTE);
  }

  protected string(buf: Buffer, start: number, end: number, isText = false): void {
    const text = this.text;
    const before = text.length;
    text.reserve(end - start + 2);
    text.bytes[text.length++] = QUOTE;
    const pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.strings.isMarking)) {
      const other = this.strings.instead(buf, start, end, this.#dialect.noZero);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    if (pos < end && this.#isChanged(buf, start, end)) {
      text.length = before;
      text.latin1(`CAST(X'${buf.toString('hex', start, end)}' AS TEXT)`);
      return;
    }
    this.#plain.doubling(buf, pos, end, QUOTE);
    text.byte(QUOTE);
  }

  /** Returns true if the program that loads the text would end or change the string. */
  #isChanged(buf: Buffer, start: number, end: number): boolean {
    const bytes = buf.subarray(start, end);
    return bytes.includes(0) || (this.#dialect.losesReturns && bytes.includes('\r\n'));
  }

  protected *stringPieces(buf: Buffer, start: number, end: number): Generator<void> {
    const text = this.text;
    if (
      this.#isChanged(buf, start, end) &&
      this.strings.isText(buf, start, end, this.#dialect.noZero)
    ) {
      text.latin1("CAST(X'");
      for (const piece of this.strings.pieces(buf, start, end, this.#dialect.noZero)) {
        yield* this.hexPieces(piece, 0, piece.length);
      }
      text.latin1("' AS TEXT)");
      return;
    }
    text.byte(QUOTE);
    for (const piece of this.strings.pieces(buf, start, end, this.#dialect.noZero)) {
      this.#plain.doubling(piece, 0, piece.length, QUOTE);
      if (text.isFull) yield;
    }
    text.byte(QUOTE);
  }

  protected *binaryPieces(buf: Buffer, start: number, end: number): Generator<void> {
    this.text.latin1("X'");
    yield* this.hexPieces(buf, start, end);
    this.text.byte(QUOTE);
  }

  protected *jsonPieces(scratch: TextBuffer, parts: Iterable<unknown>): Generator<void> {
    this.text.byte(QUOTE);
    for (const _ of parts) {
      this.#plain.doubling(scratch.bytes, 0, scratch.length, QUOTE);
      scratch.clear();
      yield;
    }
    this.#plain.doubling(scratch.bytes, 0, scratch.length, QUOTE);
    this.text.byte(QUOTE);
  }

  protected json(buf: Buffer, start: number, end: number): void {
    this.string(buf, start, end, true);
  }
}
