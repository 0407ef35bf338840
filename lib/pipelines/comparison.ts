import { pipeline } from 'node:stream/promises';
import type { BackupItem } from '../backup/item.js';
import { defined } from '../base/defined.js';
import { TntarError } from '../base/errors.js';
import { LargeMemory } from '../base/large-memory.js';
import { listOf, quoted, type Report, silent } from '../base/report.js';
import { Scratch } from '../base/scratch.js';
import { inTurns } from '../base/turns.js';
import { compareDefinitions, type DefinitionDifference } from '../diff/definitions.js';
import { Side } from '../diff/input.js';
import type { Converted } from '../diff/readings.js';
import { RowComparison, type RowListener, type SpaceDifference, uncompared } from '../diff/rows.js';
import { filterStages, wantedBy } from '../filters/filter.js';
import { compose } from '../flow/compose.js';
import { whyUncommitted } from '../flow/consistency.js';
import { type Observer, observe } from '../flow/totals.js';
import type { Origin } from '../sources/origin.js';

import type { DiffOptions, DiffResult } from './diff-options.js';

/** The number of changes of a conversion that are shown one by one. */
const SHOWN_NOTES = 50;

const isAbortError = (error: unknown): boolean =>
  error instanceof Error && error.name === 'AbortError';

/** One side and its name in errors. */
export interface Place {
  begin: Origin;
  name: string;
}

/** Thrown to end the reading of both sides when the result is known. */
class Enough extends Error {}

/**
 * Reads both sides, and compares their definitions and rows.
 *
 * @example
 * const differences = await new Comparison(options).compare(left, right);
 */
export class Comparison {
  readonly #options: DiffOptions;
  readonly #report: Report;
  readonly #totals: Observer;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Of both sides and of the rows that wait in files: a row may have 128 MiB. */
  readonly #memory = new LargeMemory();
  /** The name of the side that each error belongs to; undefined for an error of neither. */
  readonly #owners = new Map<unknown, string | undefined>();
  /** The first error that is not the end of something else. */
  #cause: unknown;
  #definitions: DefinitionDifference[] = [];
  #converted: Converted | undefined;
  #only: DiffResult['only'];
  readonly #spaces: SpaceDifference[] = [];
  #uncompared: string[] = [];

  constructor(options: DiffOptions) {
    const { report = silent, signal } = options;
    this.#options = options;
    this.#report = report;
    this.#totals = observe(report);
    const stop = this.#stop.signal;
    this.#signal = signal === undefined ? stop : AbortSignal.any([signal, stop]);
  }

  async compare(left: Place, right: Place): Promise<DiffResult> {
    try {
      await this.#read(left, (a) => this.#read(right, (b) => this.#both([a, left], [b, right])));
    } catch (error) {
      // a side is aborted when the other one fails, and its pipeline may know only that
      const cause = isAbortError(error) ? (this.#cause ?? error) : error;
      if (!(cause instanceof Enough)) throw this.#named(cause);
    } finally {
      // if one side failed, the other is still being read
      this.#stop.abort();
    }
    const definitions = this.#definitions;
    const spaces = this.#spaces;
    const isEqual =
      definitions.length === 0 &&
      spaces.every(({ removed, added, changed }) => removed + added + changed === 0);
    const only = defined({ only: this.#only });
    const converted = defined({ converted: this.#converted });
    const uncompared = this.#uncompared.length === 0 ? {} : { uncompared: this.#uncompared };
    return { isEqual, ...only, definitions, ...converted, spaces, ...uncompared };
  }

  async #read(
    { begin, name }: Place,
    consume: (items: AsyncIterable<BackupItem>) => Promise<void>,
  ): Promise<void> {
    const { filters = [], only } = this.#options;
    const own = (error: unknown): void => {
      this.#own(error, name);
      // the other side may be a server that is silent for a long time
      this.#stop.abort();
    };
    const wants = only === 'schema' ? () => false : wantedBy(filters);
    const { countBytes, see } = this.#totals;
    const source = await Promise.resolve(begin({ countBytes, wants, memory: this.#memory })).catch(
      (error: unknown) => {
        own(error);
        throw error;
      },
    );
    const stages = compose([...filterStages(filters, this.#report), see]);
    source.once('error', own);
    stages.once('error', own);
    const consuming = (items: AsyncIterable<BackupItem>): Promise<void> =>
      consume(items).catch((error: unknown) => {
        // the streams that are destroyed with this error are not its cause
        this.#own(error, undefined);
        throw error;
      });
    await pipeline(source, stages, consuming, { signal: this.#signal });
  }

  /** Notes the side that an error belongs to, if that is not known yet. */
  #own(error: unknown, name: string | undefined): void {
    if (this.#owners.has(error)) return;
    this.#owners.set(error, name);
    if (!isAbortError(error)) this.#cause ??= error;
  }

  async #both(
    [a, left]: [AsyncIterable<BackupItem>, Place],
    [b, right]: [AsyncIterable<BackupItem>, Place],
  ): Promise<void> {
    const open = (items: AsyncIterable<BackupItem>, { name }: Place): Promise<Side> =>
      Side.open(items, (error) => this.#own(error, name));
    const sides = [await open(a, left), await open(b, right)] as const;
    const { only, onDefinitions, onRow, onSpace, sort = false, filters = [] } = this.#options;
    if (filters.length > 0 && sides.every(({ spaces }) => spaces.size === 0)) {
      throw this.#refuse('no space of either side is chosen');
    }
    const lacks = (half: 'schema' | 'data'): boolean =>
      only === half || sides.some(({ manifest }) => manifest.only === half);
    if (lacks('data') && lacks('schema')) {
      throw this.#refuse(
        'there is nothing to compare',
        'of one side there are rows only, and of the other, or of what is asked for, definitions only',
      );
    }
    for (const [i, { name }] of [left, right].entries()) this.#introduce(name, sides[i]!);
    if (lacks('data')) this.#only = 'data';
    else {
      const { differences, converted } = await inTurns(
        compareDefinitions(...sides, !lacks('schema')),
        this.#signal,
      );
      this.#definitions = differences;
      this.#converted = converted;
      if (converted !== undefined) this.#sayConverted(left, right, converted);
      await onDefinitions?.(differences);
    }
    if (lacks('schema')) {
      this.#only = 'schema';
      throw new Enough();
    }
    this.#sayUncompared(uncompared(sides), [left, right]);
    const scratch = new Scratch(this.#memory);
    const listener: RowListener = {
      onRow,
      onSpace: (space) => {
        this.#spaces.push(space);
        return onSpace?.(space);
      },
    };
    try {
      await new RowComparison(sides, scratch, listener, this.#report, sort).run();
    } finally {
      await scratch.close();
    }
    for (const [i, { name }] of [left, right].entries()) {
      const { isSteady, unconfirmed } = sides[i]!;
      if (isSteady) continue;
      const why =
        unconfirmed === undefined
          ? 'rows were written while it was read: it is not from one moment'
          : whyUncommitted(unconfirmed, 'it was read');
      this.#report.warn(`${name}: ${why}`);
    }
  }

  /** Warns of what a restore would have changed: it does not count as a difference. */
  #sayConverted(left: Place, right: Place, { side, from, to, notes }: Converted): void {
    const { name } = side === 'A' ? left : right;
    this.#report.note(
      `${name}: definitions are compared as a restore from ${from} to ${to} writes them`,
    );
    for (const line of notes.slice(0, SHOWN_NOTES)) {
      this.#report.warn(
        `a restore from ${from} to ${to} changes this, so it is no difference: ${line}`,
      );
    }
    const more = notes.length - SHOWN_NOTES;
    if (more > 0) this.#report.warn(`and ${more} more changes; --json lists them all`);
  }

  /** Warns of parts that a side lacks. */
  #introduce(name: string, { manifest: { partial = [], only } }: Side): void {
    const ours = this.#options.filters?.map((filter) => filter.partial) ?? [];
    const parts = partial.filter((part) => !ours.includes(part));
    if (parts.length > 0) this.#report.note(`${name} is a part: ${listOf(parts)}`);
    if (only === 'data') this.#report.warn(`${name} has rows only: definitions are not compared`);
    if (only === 'schema') this.#report.warn(`${name} has no rows: none are compared`);
  }

  #sayUncompared([a, b]: readonly [string[], string[]], [left, right]: [Place, Place]): void {
    this.#uncompared = [...new Set([...a, ...b])];
    const say = (who: string, names: string[]): void => {
      if (names.length === 0) return;
      this.#report.warn(`rows are not compared, because ${who} them: ${listOf(names.map(quoted))}`);
    };
    say(
      'both sides exclude',
      a.filter((name) => b.includes(name)),
    );
    say(
      `${left.name} excludes`,
      a.filter((name) => !b.includes(name)),
    );
    say(
      `${right.name} excludes`,
      b.filter((name) => !a.includes(name)),
    );
  }

  /** An error that is of neither side, although it ends the reading of both. */
  #refuse(message: string, hint?: string): TntarError {
    return new TntarError('usage', message, { hint });
  }

  #named(error: unknown): unknown {
    const name = this.#owners.get(error);
    if (name === undefined || !(error instanceof TntarError)) return error;
    return TntarError.wrap(error, { message: `${name}: ${error.message}` });
  }
}
