import type { Row } from '../tuple/row.js';
import type { TextBuffer } from './buffer.js';
import { checkWidth } from './csv.js';
import type { Layout } from './layout.js';
import { DIALECTS, type Dialect, LiteralCells } from './literals.js';
import { LongNumber, LongNumbers } from './long-numbers.js';
import type { Strings } from './strings.js';
import {
  addKey,
  columnList,
  createTable,
  groupOf,
  identifier,
  type Table,
  type TableIndex,
  tableOf,
} from './table.js';
import type { RowWriter } from './writer.js';

/** The limit of rows in a statement. It also ends at a limit of bytes. */
const STATEMENT_ROWS = 500;
const STATEMENT_BYTES = 64 * 1024;

/** Writes the table and its rows as INSERT statements of several rows each, in one transaction. */
export class InsertRows implements RowWriter {
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #strings: Strings;
  readonly #table: Table;
  readonly #dialect: Dialect;
  readonly #cells: LiteralCells;
  readonly #insert: Buffer;
  readonly #longNumbers = new LongNumbers();
  /** Keys that are created after the rows. */
  readonly #keys: readonly TableIndex[];
  /** The number of rows in the open statement. */
  #rows = 0;
  #bytes = 0;
  #fieldNo = -1;

  constructor(text: TextBuffer, layout: Layout, kind: keyof typeof DIALECTS, strings: Strings) {
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#dialect = DIALECTS[kind];
    this.#table = tableOf(layout, this.#dialect.limits, strings);
    this.#cells = new LiteralCells(text, layout.columns, strings, this.#dialect);
    const { name, columns, indexes, primaryKey } = this.#table;
    // If it has a number, only the rows show whether it is unique.
    const isKeyLater =
      this.#dialect.hasTextNumbers &&
      primaryKey?.columns.some(({ type }) => groupOf(type) === 'number') === true;
    this.#keys = isKeyLater ? [primaryKey, ...indexes] : indexes;
    this.#insert = Buffer.from(`INSERT INTO ${identifier(name)} ${columnList(columns)} VALUES\n`);
  }

  begin(): void {
    const { begin, typeOf, ending } = this.#dialect;
    const table = this.#table;
    const isKeyLater = this.#keys.length > table.indexes.length;
    this.#text.text(begin + createTable(table, { typeOf, ending, isKeyLater }));
  }

  get fieldNo(): number {
    return this.#fieldNo;
  }

  row(row: Row): void {
    const before = this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      this.#cells.write(row, i);
      this.#note(i);
    }
    this.#text.byte(0x29);
    this.#bytes += this.#text.length - before;
  }

  *pieces(row: Row): Generator<void> {
    this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      yield* this.#cells.pieces(row, i);
      this.#note(i);
    }
    this.#text.byte(0x29);
    this.#bytes += row.end - row.start;
  }

  /** Begins a row, and a new statement if needed. */
  #open(row: Row): number {
    const text = this.#text;
    this.#fieldNo = -1;
    checkWidth(this.#layout, row);
    if (this.#rows >= STATEMENT_ROWS || this.#bytes >= STATEMENT_BYTES) this.#close();
    if (this.#rows === 0) text.copy(this.#insert);
    else text.latin1(',\n');
    this.#rows++;
    text.byte(0x28);
    return text.length;
  }

  #next(column: number): void {
    if (column > 0) this.#text.byte(0x2c);
    this.#fieldNo = this.#layout.columns[column]!.fieldNo;
  }

  /** Records what the indexes of a column depend on in a number. */
  #note(column: number): void {
    if (this.#cells.long === LongNumber.NONE) return;
    this.#longNumbers.add(this.#layout.columns[column]!, this.#cells.long);
    this.#cells.long = LongNumber.NONE;
  }

  #close(): void {
    if (this.#rows > 0) this.#text.latin1(';\n');
    this.#rows = 0;
    this.#bytes = 0;
  }

  end(): void {
    this.#close();
    const made = this.#keys.map((key) => addKey(this.#table, this.#longNumbers.made(key)));
    this.#text.text(`${made.join('')}COMMIT;\n`);
  }

  get notes(): readonly string[] {
    const notes = this.#longNumbers.notes(this.#keys);
    return [...this.#table.leftOut, ...notes, ...this.#strings.notes];
  }
}
