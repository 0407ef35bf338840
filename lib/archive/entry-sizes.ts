import type { Size } from '../backup/item.js';
import { parseEntryName } from './entries.js';
import type { EntryRecord } from './trailer.js';

/**
 * Rows, bytes and the largest row of each space, as a trailer has them.
 *
 * @returns by space id; the largest row only where the trailer has it of all parts of the space
 * @example
 * sizesOf(trailer.entries).get(512); // { rows: 2, bytes: 11, largest: 6 }
 */
export function sizesOf(entries: readonly EntryRecord[]): Map<number, Size> {
  const sums = new Map<number, { rows: number; bytes: number; largest: number }>();
  for (const { name, rows, bytes, largest = Number.NaN } of entries) {
    const entry = parseEntryName(name);
    if (entry?.kind !== 'tuples') continue;
    const sum = sums.get(entry.spaceId) ?? { rows: 0, bytes: 0, largest: 0 };
    sums.set(entry.spaceId, {
      rows: sum.rows + rows,
      bytes: sum.bytes + bytes,
      largest: Math.max(sum.largest, largest),
    });
  }
  return new Map(
    [...sums].map(([id, { largest, ...count }]): [number, Size] => [
      id,
      Number.isNaN(largest) ? count : { ...count, largest },
    ]),
  );
}
