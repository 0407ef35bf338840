import type { TextColumn } from './layout.js';
import { type Group, groupOf, type TableIndex } from './table.js';
import { Unfit } from './unrepresentable.js';

/** `BTMaxItemSize` of `src/include/access/nbtree.h` for pages of 8 KiB: the longest row of an index. */
export const MAX_INDEX_ROW = 2704;
/** `MaxHeapTupleSize` of `src/include/access/htup_details.h` for such pages: the longest row of a table. */
const MAX_ROW = 8160;
/** `SizeofHeapTupleHeader` of the same, to which a bit for each column comes where a null is in the row. */
const ROW_HEADER = 23;
/** `sizeof(IndexTupleData)` of `src/include/access/itup.h`, and with the bits for nulls. */
const INDEX_HEADER = { plain: 8, withNulls: 16 };
/** `TOAST_POINTER_SIZE` of `src/include/access/heaptoast.h`: what stays in the row of a value that is moved out. */
const POINTER = 18;
/** No longer value is moved out of the row: `toast_tuple_find_biggest_attribute()` of `toast_helper.c`. */
const STAYING = 20;
/** Values of no fixed length have a header of one byte up to this length, and no alignment. */
const SHORT = 126;
/** Fewer columns than this are no row that is too long, whatever they hold. */
const FEW_COLUMNS = 300;

/** Bytes of the types of a fixed length, which are aligned to as many; a uuid is not. */
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

/** What PostgreSQL needs for rows and for rows of indexes, told before it says no. */
export class PostgresSizes {
  /** Of the row at hand, by its columns: the bytes of each value; -1 for null. */
  readonly sizes: number[];
  /** By index: the longest row that it would have, where that is too long. */
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
   * Looks at the sizes of a row that is complete.
   *
   * @throws Unfit for a row that no page holds
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
    throw new Unfit(
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
      // a pointer of 18 bytes stands as a value of 17 would
      end = this.#endOf(end, i, size > STAYING ? POINTER - 1 : size);
    }
    return aligned(end, 8);
  }

  /** Where a value ends that comes at `start` or after it. */
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
 * Bytes of a number as `numeric` has it: four digits in two bytes, `src/backend/utils/adt/numeric.c`.
 *
 * @param text - without an exponent, or of no more than 17 digits
 */
export function numericSize(text: string): number {
  const [, whole = '', fraction = ''] = /^-?(\d*)(?:\.(\d*))?/.exec(text) ?? [];
  if (text.includes('e')) return 2 + 2 * 7;
  if (whole === '0' && fraction === '') return 2;
  return 2 + 2 * (Math.ceil(whole.length / 4) + Math.ceil(fraction.length / 4));
}
