import { quoted } from '../base/report.js';
import type { TextColumn } from './layout.js';
import type { TableIndex } from './table.js';

/**
 * The number of digits up to which a server treats a float and a decimal as equal: `DBL_DIG` in its
 * `src/lib/core/decimal.c`.
 */
const SAME_DIGITS = 15;

/** Kinds of numbers with more digits, as bits. */
export const LongNumber = { NONE: 0, FLOAT: 1, EXACT: 2 } as const;

/**
 * Returns true if a number has so many digits that a float and a decimal with this text differ on a server.
 *
 * @example
 * isLongNumber('0.30000000000000004'); // true
 */
export function isLongNumber(text: string): boolean {
  if (text.length <= SAME_DIGITS) return false;
  const digits = text
    .replace(/e.*/i, '')
    .replace(/\D/g, '')
    .replace(/^0+|0+$/g, '');
  return digits.length > SAME_DIGITS;
}

/** The kinds of long numbers in the columns of a table. */
export class LongNumbers {
  readonly #kinds = new Map<TextColumn, number>();

  /** @param kind - one of {@link LongNumber} */
  add(column: TextColumn, kind: number): void {
    if (kind === LongNumber.NONE) return;
    this.#kinds.set(column, (this.#kinds.get(column) ?? LongNumber.NONE) | kind);
  }

  /**
   * Returns true if two keys that a server distinguishes may have the same text: a column of the index has both
   * kinds.
   */
  isBlurred({ columns }: TableIndex): boolean {
    const both = LongNumber.FLOAT | LongNumber.EXACT;
    return columns.some((column) => this.#kinds.get(column) === both);
  }

  /** Returns the index in the form that can be created. */
  made(index: TableIndex): TableIndex {
    return { ...index, isUnique: index.isUnique && !this.isBlurred(index) };
  }

  /** Returns a line for each of these indexes that is not created as unique. */
  notes(indexes: readonly TableIndex[]): string[] {
    return indexes
      .filter((index) => index.isUnique && this.isBlurred(index))
      .map(
        ({ name }) =>
          `index ${quoted(name)} is not unique in the output: a float and another number may have the same text`,
      );
  }
}
