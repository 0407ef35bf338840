import fc from 'fast-check';
import type { compareRows } from '../../../lib/diff/key.js';
import type { RowCounts, RowDifference } from '../../../lib/diff/merge.js';
import type { Piece } from '../../../lib/diff/row-blocks.js';
import { compareValues } from '../../../lib/diff/values.js';
import { pack } from '../../support/msgpack.js';

/** Rows `[key, text]` of one side, by their keys. */
export type Rows = ReadonlyMap<number, string>;

/** Compares the first field, which is the second byte of a short row. */
export const byKey: typeof compareRows = (a, aOffset, b, bOffset) =>
  compareValues(a, aOffset + 1, b, bOffset + 1);

export const rowOf = ([key, text]: readonly [number, string]): Buffer => pack([key, text]);

/** Yields rows in pieces of `size`. Released memory is overwritten. */
export async function* pieces(rows: readonly Buffer[], size: number): AsyncGenerator<Piece> {
  for (let i = 0; i < rows.length; i += size) {
    const some = rows.slice(i, i + size);
    const bytes = Buffer.concat(some);
    yield { bytes, count: some.length, release: () => bytes.fill(0xc1) };
  }
}

export const sorted = (rows: Rows): Buffer[] => [...rows].sort(([a], [b]) => a - b).map(rowOf);

/** Returns the differences, found by a search for each key. */
export function expected(left: Rows, right: Rows): RowCounts {
  const counts = { removed: 0, added: 0, changed: 0, equal: 0 };
  for (const [key, text] of left) {
    const other = right.get(key);
    counts[other === undefined ? 'removed' : other === text ? 'equal' : 'changed']++;
  }
  for (const key of right.keys()) if (!left.has(key)) counts.added++;
  return counts;
}

/** A text that is sometimes long, so that rows are equal in some bytes and in more. */
const text = fc.oneof(
  fc.constantFrom('', 'a', 'b'),
  fc.constantFrom(300, 301).map((n) => 'x'.repeat(n)),
);
const rowsOf = fc
  .array(fc.tuple(fc.nat(120), text), { maxLength: 150 })
  .map((rows): Rows => new Map(rows));
/** Two sides with much in common. */
export const two = fc
  .tuple(rowsOf, rowsOf, rowsOf)
  .map(([common, a, b]): [Rows, Rows] => [new Map([...common, ...a]), new Map([...common, ...b])]);
export const sizes = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }));

/** Collects reported rows as they are at that moment. */
export class Heard {
  readonly before: string[] = [];
  readonly after: string[] = [];

  readonly hear = ({ before, after }: RowDifference): void => {
    if (before !== undefined) this.before.push(before.toString('hex'));
    if (after !== undefined) this.after.push(after.toString('hex'));
  };

  /** Returns the expected reports for rows of one side that the other does not have. */
  static expected(rows: Rows, others: Rows): string[] {
    const different = [...rows].filter(([key, text]) => others.get(key) !== text);
    return different.map((row) => rowOf(row).toString('hex')).sort();
  }
}
