import { TntarError } from '../base/errors.js';
import { quoted, type Report } from '../base/report.js';
import type { Scratch } from '../base/scratch.js';
import { Cursor } from './cursor.js';
import type { Pairing } from './key.js';
import { Merge, type OnRow, type RowCounts } from './merge.js';
import { Spool } from './row-blocks.js';
import { Sorter } from './sorter.js';

/** A pair of values, one for each side. */
export type Both<T> = readonly [left: T, right: T];

/** The resources of a comparison of rows. */
export interface Tools {
  scratch: Scratch;
  report: Report;
  /** Records that a side, 0 or 1, causes an error. */
  blame: (side: 0 | 1, error: unknown) => void;
  onRow?: OnRow | undefined;
}

/** Compares the rows of one space. */
export class SpaceComparison {
  readonly #name: string;
  readonly #pairing: Pairing;
  readonly #tools: Tools;

  constructor(name: string, pairing: Pairing, tools: Tools) {
    this.#name = name;
    this.#pairing = pairing;
    this.#tools = tools;
  }

  /**
   * Compares the rows.
   *
   * @throws TntarError of kind `failure` if rows whose order is certain are not in order
   */
  run(cursors: Both<Cursor>): Promise<RowCounts> {
    const { sortedFor, isDoubtful } = this.#pairing;
    if (sortedFor !== undefined) return this.#unordered(cursors, sortedFor);
    return isDoubtful ? this.#doubtful(cursors) : this.#ordered(cursors);
  }

  async #ordered(cursors: Both<Cursor>): Promise<RowCounts> {
    const { onRow, blame } = this.#tools;
    const onDisorder = (side: 0 | 1): never => {
      const what = `rows of ${quoted(this.#name)} are not in the order of the primary key`;
      const error = new TntarError('failure', what, { hint: 'use --sort' });
      blame(side, error);
      throw error;
    };
    const { compare, keys } = this.#pairing;
    const merge = new Merge(this.#name, compare, { keys, onRow, onDisorder });
    await merge.run(...cursors);
    return merge.counts;
  }

  /** Compares rows that may not be in order. Different rows are kept until the order is known. */
  async #doubtful(cursors: Both<Cursor>): Promise<RowCounts> {
    const { scratch, onRow } = this.#tools;
    const { compare, keys } = this.#pairing;
    const [removed, added] = [new Spool(scratch), new Spool(scratch)];
    let isOrdered = true;
    let pairs = 0;
    const merge = new Merge(this.#name, compare, {
      keys,
      onRow,
      keep: async ({ before, after }) => {
        if (before !== undefined) await removed.add(before);
        if (after !== undefined) await added.add(after);
        if (before !== undefined && after !== undefined) pairs++;
      },
      onDisorder: () => {
        isOrdered = false;
      },
    });
    await merge.run(...cursors);
    const kept = [new Cursor(removed.rows()), new Cursor(added.rows())] as const;
    if (isOrdered) {
      if (onRow !== undefined) await new Merge(this.#name, compare, { keys, onRow }).run(...kept);
      return merge.counts;
    }
    const sorted = await this.#sorted(kept, 'sorted where they differ: their keys are in no order');
    const { counts } = merge;
    return {
      removed: counts.removed - (removed.count - pairs) + sorted.removed,
      added: counts.added - (added.count - pairs) + sorted.added,
      changed: counts.changed - pairs + sorted.changed,
      equal: counts.equal + sorted.equal,
    };
  }

  async #unordered(cursors: Both<Cursor>, why: string): Promise<RowCounts> {
    const { compare, keys, isWhole } = this.#pairing;
    const { onRow } = this.#tools;
    const merge = new Merge(this.#name, compare, { keys, onRow });
    await merge.start(...cursors);
    if (!((await cursors[0].fill()) && (await cursors[1].fill()))) {
      await merge.run(...cursors);
      return merge.counts;
    }
    const how = `${isWhole ? 'compared as whole rows' : 'sorted first'}: ${why}`;
    const counts = await this.#sorted(cursors, how);
    return { ...counts, equal: counts.equal + merge.counts.equal };
  }

  async #sorted(cursors: Both<Cursor>, how: string): Promise<RowCounts> {
    const { scratch, report, onRow } = this.#tools;
    const { compare, keys } = this.#pairing;
    report.note(`rows of ${quoted(this.#name)} are ${how}`);
    const sorted: Cursor[] = [];
    for (const cursor of cursors) {
      const sorter = new Sorter(compare, scratch);
      for await (const piece of cursor.rest()) await sorter.add(piece);
      sorted.push(new Cursor(sorter.sorted()));
    }
    const merge = new Merge(this.#name, compare, { keys, onRow });
    await merge.run(sorted[0]!, sorted[1]!);
    return merge.counts;
  }
}
