import type { TextColumn } from './layout.js';
import { type Group, groupOf, type TableIndex } from './table.js';
import { Unrepresentable } from './unrepresentable.js';

/** The longest row of an index: `BTMaxItemSize` of `src/include/access/nbtree.h` for pages of 8 KiB. */
export const MAX_INDEX_ROW = 2704;
/** The longest row of a table: `MaxHeapTupleSize` of `src/include/access/htup_details.h` for such pages. */
const MAX_ROW = 8160;
/** The header of a row, `SizeofHeapTupleHeader` of the same file. A row with a null also has a bit for each column. */
const ROW_HEADER = 23;
/** The header of a row of an index without and with nulls: `sizeof(IndexTupleData)` of `src/include/access/itup.h`. */
const INDEX_HEADER = { plain: 8, withNulls: 16 };
/** The size in the row of a value that is moved out: `TOAST_POINTER_SIZE` of `src/include/access/heaptoast.h`. */
const POINTER = 18;
/** Values up to this size are not moved out of the row: `toast_tuple_find_biggest_attribute()` of `toast_helper.c`. */
const STAYING = 20;
/** Up to this size, values of variable length have a header of one byte and no alignment. */
const SHORT = 126;
/** Rows with fewer columns fit, whatever their values are. */
const FEW_COLUMNS = 300;

/** Sizes of types of a fixed length, which are also their alignment, except for uuid. */
const FIXED: ReadonlyMap<string, number> = new Map([
  ['int8', 2],
  ['int16', 2],
  ['uint8', 2],
  ['int32', 4],
  ['uint16', 4],
  ['int64', 8],
  ['uint32', 8],
  ['float32', 4],
]);
const FIXED_GROUPS: ReadonlyMap<Group, number> = new Map([
  ['float', 8],
  ['datetime', 8],
  ['boolean', 1],
  ['uuid', 16],
]);

/** Groups of columns whose values may be too long for an index. */
const LONG: readonly Group[] = ['string', 'binary', 'json'];

/** Computes the sizes of rows and of rows of indexes before PostgreSQL refuses them. */
export class PostgresSizes {
  /** The sizes of the values of the current row, by column; -1 for null. */
  readonly sizes: number[];
  /** The longest row of each index that would be too long. */
  readonly tooLong = new Map<TableIndex, number>();
  readonly #isLong: boolean[];
  readonly #fixed: (number | undefined)[];
  readonly #indexes: [TableIndex, number[]][];

  constructor(columns: readonly TextColumn[], indexes: readonly TableIndex[]) {
    const groups = columns.map(({ type }) => groupOf(type));
    this.sizes = columns.map(() => -1);
    this.#isLong = groups.map((group) => LONG.includes(group));
    this.#fixed = columns.map(({ type }, i) => FIXED.get(type) ?? FIXED_GROUPS.get(groups[i]!));
    const positions = new Map(columns.map((column, i) => [column, i]));
    this.#indexes = indexes
      .map((index): [TableIndex, number[]] => [
        index,
        index.columns.map((column) => positions.get(column)!),
      ])
      .filter(([, parts]) => parts.some((i) => this.#isLong[i]));
  }

  /**
   * Checks the sizes of a complete row.
   *
   * @throws Unrepresentable for a row that does not fit into a page
   */
  check(): void {
    for (const [index, parts] of this.#indexes) {
      const bytes = this.#indexRow(parts);
      if (bytes > MAX_INDEX_ROW) {
        this.tooLong.set(index, Math.max(bytes, this.tooLong.get(index) ?? 0));
      }
    }
    const { length } = this.sizes;
    if (length < FEW_COLUMNS) return;
    const bytes = this.#row();
    if (bytes <= MAX_ROW) return;
    throw new Unrepresentable(
      `a row of ${length} columns and at least ${bytes} bytes, and a page of PostgreSQL holds ${MAX_ROW}`,
      'leave some fields out with --fields, or use --format ndjson or csv',
    );
  }

  #indexRow(parts: readonly number[]): number {
    const { sizes } = this;
    const hasNull = parts.some((i) => sizes[i]! < 0);
    let end = hasNull ? INDEX_HEADER.withNulls : INDEX_HEADER.plain;
    for (const i of parts) end = this.#endOf(end, i, sizes[i]!);
    return aligned(end, 8);
  }

  #row(): number {
    const { sizes } = this;
    const bits = sizes.some((size) => size < 0) ? Math.ceil(sizes.length / 8) : 0;
    let end = aligned(ROW_HEADER + bits, 8);
    for (let i = 0; i < sizes.length; i++) {
      const size = sizes[i]!;
      // A pointer of 18 bytes takes the place of a value of 17.
      end = this.#endOf(end, i, size > STAYING ? POINTER - 1 : size);
    }
    return aligned(end, 8);
  }

  /** Returns the end of a value that starts at `start` or after it. */
  #endOf(start: number, column: number, size: number): number {
    if (size < 0) return start;
    const fixed = this.#fixed[column];
    if (fixed !== undefined) return aligned(start, fixed === 16 ? 1 : fixed) + fixed;
    return size <= SHORT ? start + 1 + size : aligned(start, 4) + 4 + size;
  }
}

function aligned(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

/**
 * Returns the size of a number of the type `numeric`: four digits in two bytes, `src/backend/utils/adt/numeric.c`.
 *
 * @param text - without an exponent, or with 17 digits at most
 */
export function numericSize(text: string): number {
  const [, whole = '', fraction = ''] = /^-?(\d*)(?:\.(\d*))?/.exec(text) ?? [];
  if (text.includes('e')) return 2 + 2 * 7;
  if (whole === '0' && fraction === '') return 2;
  return 2 + 2 * (Math.ceil(whole.length / 4) + Math.ceil(fraction.length / 4));
}
