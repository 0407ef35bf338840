import type { Row } from './row.js';

/** Writes the rows of one space into a text buffer, in one format. */
export interface RowWriter {
  /** What stands before the first row. */
  begin(): void;
  /** @throws Unfit where the format has no form for a value */
  row(row: Row): void;
  /** What stands behind the last row. */
  end(): void;
  /** What of the space, or of its rows so far, is not in the text; one line each. */
  readonly notes: readonly string[];
}
