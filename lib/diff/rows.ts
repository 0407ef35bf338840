import { quoted, type Report } from '../base/report.js';
import type { Scratch } from '../base/scratch.js';
import { Cursor } from './cursor.js';
import type { Side } from './input.js';
import { type Pairing, pairingOf } from './key.js';
import type { OnRow, RowCounts } from './merge.js';
import { noRows, type Pieces, Spool } from './row-blocks.js';
import { type Both, SpaceComparison } from './space.js';

/** The numbers of equal and different rows of a space that a side has. */
export interface SpaceDifference extends RowCounts {
  name: string;
}

/** Called with the results while rows are compared. */
export interface RowListener {
  onRow?: OnRow | undefined;
  /** Called for each space with rows, after its last row. */
  onSpace?: ((space: SpaceDifference) => void | Promise<void>) | undefined;
}

/** Returns for each side the common spaces whose rows it leaves out, so that they cannot be compared. */
export function uncompared([left, right]: Both<Side>): Both<string[]> {
  const excludedBy = (side: Side, other: Side): string[] =>
    side.manifest.spaces
      .filter(({ name, rowsExcluded }) => rowsExcluded && other.spaces.has(name))
      .map(({ name }) => name);
  return [excludedBy(left, right), excludedBy(right, left)];
}

/** Compares the rows of two databases, space by space in the order of the inputs. */
export class RowComparison {
  readonly #sides: Both<Side>;
  readonly #scratch: Scratch;
  readonly #listener: RowListener;
  readonly #report: Report;
  readonly #isSorted: boolean;
  readonly #uncompared: ReadonlySet<string>;
  /** Spaces that one side had before the other. */
  readonly #spooled: Both<Map<string, Spool>> = [new Map(), new Map()];
  readonly #bytes = [0, 0];

  /** @param isSorted - true if all rows are sorted, whatever their order */
  constructor(
    sides: Both<Side>,
    scratch: Scratch,
    listener: RowListener,
    report: Report,
    isSorted = false,
  ) {
    this.#isSorted = isSorted;
    this.#uncompared = new Set(uncompared(sides).flat());
    this.#sides = sides;
    this.#scratch = scratch;
    this.#listener = listener;
    this.#report = report;
  }

  async run(): Promise<void> {
    const [left, right] = this.#sides;
    for (;;) {
      for (const side of this.#sides) await this.#pass(side);
      if (left.next === undefined && right.next === undefined) break;
      await this.#step();
    }
    for (const [i, spools] of this.#spooled.entries()) {
      for (const [name, spool] of spools) {
        await this.#compare(name, i === 0 ? [spool.rows(), noRows()] : [noRows(), spool.rows()]);
      }
    }
  }

  /** Skips the rows of spaces whose rows the other side leaves out. */
  async #pass(side: Side): Promise<void> {
    while (side.next !== undefined && this.#uncompared.has(side.next)) {
      for await (const { release } of side.rows()) release?.();
    }
  }

  /** Compares a space, or keeps one in a file until the other side reaches it. */
  async #step(): Promise<void> {
    const [left, right] = this.#sides;
    if (left.next !== undefined && left.next === right.next) {
      await this.#compare(left.next, [left.rows(), right.rows()]);
      return;
    }
    for (const i of [0, 1]) {
      const [side, other] = [this.#sides[i]!, this.#sides[1 - i]!];
      const name = side.next;
      if (name === undefined) continue;
      const spool = this.#spooled[1 - i]!.get(name);
      this.#spooled[1 - i]!.delete(name);
      const isOnlyHere = !other.spaces.has(name) || other.next === undefined;
      if (spool === undefined && !isOnlyHere) continue;
      const rest = spool?.rows() ?? noRows();
      await this.#compare(name, i === 0 ? [side.rows(), rest] : [rest, side.rows()]);
      return;
    }
    await this.#layAside(this.#bytes[0]! <= this.#bytes[1]! ? 0 : 1);
  }

  async #layAside(i: number): Promise<void> {
    const side = this.#sides[i]!;
    const name = side.next!;
    const spool = new Spool(this.#scratch);
    await spool.fill(side.rows());
    if (this.#bytes.every((bytes) => bytes === 0)) {
      this.#report.note(
        `spaces come in different orders: ${quoted(name)} and others are kept in temporary files`,
      );
    }
    this.#bytes[i]! += spool.bytes;
    this.#spooled[i]!.set(name, spool);
  }

  async #compare(name: string, [left, right]: Both<Pieces>): Promise<void> {
    const { onRow, onSpace } = this.#listener;
    const blame = (side: 0 | 1, error: unknown): void => this.#sides[side].blame(error);
    const tools = { scratch: this.#scratch, report: this.#report, onRow, blame };
    const comparison = new SpaceComparison(name, this.#pairing(name), tools);
    const counts = await comparison.run([new Cursor(left), new Cursor(right)]);
    await onSpace?.({ name, ...counts });
  }

  #pairing(name: string): Pairing {
    const [left, right] = this.#sides;
    const [a, b] = [left.spaces.get(name), right.spaces.get(name)];
    // The rows of one side alone need no pairing.
    if (a === undefined || b === undefined) {
      return { compare: () => 0, isWhole: false, isDoubtful: false };
    }
    const pairing = pairingOf(left, a, right, b);
    if (!this.#isSorted || pairing.sortedFor !== undefined) return pairing;
    return { ...pairing, sortedFor: 'sorting was requested' };
  }
}
