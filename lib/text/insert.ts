import type { Datetime } from '../tuple/datetime.js';
import type { Decimal } from '../tuple/decimal.js';
import { readInteger } from '../tuple/integers.js';
import type { Uuid } from '../tuple/uuid.js';
import { PlainCopy, type TextBuffer } from './buffer.js';
import { Cells } from './cells.js';
import { checkWidth } from './csv.js';
import type { Layout, TextColumn } from './layout.js';
import { SQL_LIMITS, SQLITE_LIMITS, type TableLimits } from './limits.js';
import type { Row } from './row.js';
import { datetimeText, floatText, writeInteger } from './scalars.js';
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

/** What two kinds of SQL do not have in common. */
interface Dialect {
  limits: TableLimits;
  begin: string;
  /** Behind the definition of a table. */
  ending: string;
  typeOf(column: TextColumn): string;
  /** A number that is not finite. */
  special(value: number): string;
  /** True for an integer that has to be text to be kept. */
  isText(integer: number | bigint): boolean;
  /** A decimal. */
  decimal(text: string): string;
  /** Whether what reads the text makes a line feed of a carriage return and a line feed. */
  losesReturns: boolean;
  /** The database that cannot hold a string with a zero byte; if absent, it is written in hexadecimal. */
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

/** Those of a STRICT table; ANY keeps each value as it is given. */
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

/** Types of integers that 64 bits with a sign hold. */
const SIGNED = /^(int(8|16|32|64)|uint(8|16|32))$/;

const MAX_SIGNED = 2n ** 63n - 1n;

const DIALECTS = {
  sql: {
    limits: SQL_LIMITS,
    begin: 'START TRANSACTION;\n',
    ending: '',
    typeOf: ({ type }) => STANDARD_TYPES[groupOf(type)],
    special: (value) => `CAST('${floatText(value)}' AS DOUBLE PRECISION)`,
    isText: () => false,
    decimal: (text) => `'${text}'`,
    losesReturns: false,
    noZero: 'a text of SQL',
  },
  sqlite: {
    limits: SQLITE_LIMITS,
    // the shell would go on behind an error
    begin: '.bail on\nBEGIN;\n',
    ending: ' STRICT',
    typeOf: ({ type }) => (SIGNED.test(type) ? 'INTEGER' : SQLITE_TYPES[groupOf(type)]),
    special: (value) => {
      if (Number.isNaN(value)) {
        throw new Unfit(
          'a float that is not a number, which SQLite makes null',
          'leave the field out with --fields, or use --format ndjson or csv',
        );
      }
      return value > 0 ? '9e999' : '-9e999';
    },
    isText: (integer) => integer > MAX_SIGNED,
    decimal: (text) => `'${text}'`,
    // `local_getline()` of the shell's shell.c
    losesReturns: true,
  },
} as const satisfies Record<string, Dialect>;

const QUOTE = 0x27;
const RETURN = 0x0d;
const LINE_FEED = 0x0a;

class LiteralCells extends Cells {
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

  /** Numbers of all kinds in a column of text. */
  #isQuoted(group: Group): boolean {
    return group === 'number' && this.#dialect === DIALECTS.sql;
  }

  protected float(value: number, group: Group): void {
    if (this.#isQuoted(group)) this.#literal(floatText(value));
    else this.text.latin1(Number.isFinite(value) ? floatText(value) : this.#dialect.special(value));
  }

  protected decimal(value: Decimal): void {
    this.text.latin1(this.#dialect.decimal(String(value)));
  }

  protected uuid(value: Uuid): void {
    this.#literal(String(value));
  }

  protected datetime(value: Datetime): void {
    this.#literal(datetimeText(value));
  }

  /** @param text - without anything to escape */
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
    let pos = this.#plain.run(buf, start, end);
    if (!isText && (pos < end || this.strings.isMarking)) {
      const other = this.strings.instead(buf, start, end, this.#dialect.noZero);
      if (other !== undefined) {
        text.length = before;
        this.string(other, 0, other.length, true);
        return;
      }
    }
    while (pos < end) {
      const byte = buf[pos]!;
      const isLost = byte === RETURN && buf[pos + 1] === LINE_FEED && pos + 1 < end;
      if (byte === 0 || (isLost && this.#dialect.losesReturns)) {
        text.length = before;
        text.latin1(`CAST(X'${buf.toString('hex', start, end)}' AS TEXT)`);
        return;
      }
      if (byte === QUOTE) text.byte(QUOTE);
      text.byte(byte);
      text.reserve(end - pos);
      pos = this.#plain.run(buf, pos + 1, end);
    }
    text.byte(QUOTE);
  }

  protected json(buf: Buffer, start: number, end: number): void {
    this.string(buf, start, end, true);
  }
}

/** A statement has so many rows at most, and is closed when it has so many bytes. */
const STATEMENT_ROWS = 500;
const STATEMENT_BYTES = 64 * 1024;

/** The table and its rows as INSERT statements of several rows each, in one transaction. */
export class InsertRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #table: Table;
  readonly #dialect: Dialect;
  readonly #cells: LiteralCells;
  readonly #insert: Buffer;
  /** Of the statement that is open. */
  #rows = 0;
  #bytes = 0;

  constructor(text: TextBuffer, layout: Layout, kind: keyof typeof DIALECTS, strings: Strings) {
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#dialect = DIALECTS[kind];
    this.#table = tableOf(layout, this.#dialect.limits, strings);
    this.#cells = new LiteralCells(text, layout.columns, strings, this.#dialect);
    const { name, columns } = this.#table;
    this.#insert = Buffer.from(`INSERT INTO ${identifier(name)} ${columnList(columns)} VALUES\n`);
  }

  begin(): void {
    const { begin, typeOf, ending } = this.#dialect;
    this.#text.text(begin + createTable(this.#table, typeOf, ending));
  }

  row(row: Row): void {
    const { columns } = this.#layout;
    const text = this.#text;
    checkWidth(this.#layout, row);
    if (this.#rows >= STATEMENT_ROWS || this.#bytes >= STATEMENT_BYTES) this.#close();
    if (this.#rows === 0) text.copy(this.#insert);
    else text.latin1(',\n');
    const before = text.length;
    text.byte(0x28);
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) text.byte(0x2c);
      this.#cells.write(row, i);
    }
    text.byte(0x29);
    this.#rows++;
    this.#bytes += text.length - before;
  }

  #close(): void {
    if (this.#rows > 0) this.#text.latin1(';\n');
    this.#rows = 0;
    this.#bytes = 0;
  }

  end(): void {
    this.#close();
    const table = this.#table;
    const indexes = table.indexes.map((index) => createIndex(table, index));
    this.#text.text(`${indexes.join('')}COMMIT;\n`);
  }

  get notes(): readonly string[] {
    return [...this.#table.leftOut, ...this.#strings.notes];
  }
}
