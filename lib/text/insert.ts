import type { Row } from '../tuple/row.js';
import type { TextBuffer } from './buffer.js';
import { checkWidth } from './csv.js';
import type { Layout } from './layout.js';
import { DIALECTS, type Dialect, LiteralCells } from './literals.js';
import type { Strings } from './strings.js';
import { columnList, createIndex, createTable, identifier, type Table, tableOf } from './table.js';
import type { RowWriter } from './writer.js';

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
  #fieldNo = -1;

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
    const { begin } = this.#dialect;
    this.#text.text(begin + createTable(this.#table, this.#dialect));
  }

  get fieldNo(): number {
    return this.#fieldNo;
  }

  row(row: Row): void {
    const before = this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      this.#cells.write(row, i);
    }
    this.#text.byte(0x29);
    this.#bytes += this.#text.length - before;
  }

  *pieces(row: Row): Generator<void> {
    this.#open(row);
    for (let i = 0; i < this.#layout.columns.length; i++) {
      this.#next(i);
      yield* this.#cells.pieces(row, i);
    }
    this.#text.byte(0x29);
    this.#bytes += row.end - row.start;
  }

  /** Begins a row, and a statement where that is due. */
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
