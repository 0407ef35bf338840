import type { Row } from '../tuple/row.js';

/** Writes the rows of one space into a text buffer, in one format. */
export interface RowWriter {
  /** What stands before the first row. */
  begin(): void;
  /** @throws Unfit where the format has no form for a value */
  row(row: Row): void;
  /**
   * Writes a large row in parts. Take the text where it is full when this yields, and see what else there is to do.
   *
   * @throws Unfit where the format has no form for a value
   */
  pieces(row: Row): Generator<void>;
  /** The field that was written last, from 0: the one that an error is about; -1 where it is about no field. */
  readonly fieldNo: number;
  /** What stands behind the last row. */
  end(): void;
  /** What of the space, or of its rows so far, is not in the text; one line each. */
  readonly notes: readonly string[];
}
