import type { Row } from '../tuple/row.js';

/** Writes the rows of one space into a text buffer, in one format. */
export interface RowWriter {
  /** Writes the text before the first row. */
  begin(): void;
  /**
   * Writes a row.
   *
   * @throws Unrepresentable for a value that the format cannot represent
   */
  row(row: Row): void;
  /**
   * Writes a large row in parts. When this yields, take the text if it is full, and do other work.
   *
   * @throws Unrepresentable for a value that the format cannot represent
   */
  pieces(row: Row): Generator<void>;
  /** The last written field, from 0, which an error is about; -1 if it is not about a field. */
  readonly fieldNo: number;
  /** Writes the text after the last row. */
  end(): void;
  /** Parts of the space, or of its rows so far, that are not in the text; one line each. */
  readonly notes: readonly string[];
}
