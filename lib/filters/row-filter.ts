import type { Filtered } from '../archive/items.js';
import { messageOf, TntarError } from '../errors.js';
import type { KeyPart } from '../schema/catalog.js';
import { extractKey, showKey } from '../schema/keys.js';
import { Tuple } from '../tuple/tuple.js';
import { type Filter, type FilterSpace, positions, TYPES } from './filter.js';

/** One space while a filter goes through its rows. */
export class FilteredSpace {
  readonly names: ReadonlyMap<string, number>;
  readonly tally: Filtered;

  constructor(
    readonly space: FilterSpace,
    filter: string,
    /** Of its primary key, for messages. */
    readonly key: readonly KeyPart[],
  ) {
    this.names = positions(space);
    this.tally = { filter, space: space.name, in: 0, changed: 0, skipped: 0, out: 0 };
  }
}

/** Takes a row that a filter lets through. */
export type Keep = (raw: Buffer) => void;

type Later = PromiseLike<unknown>;
type Several = Iterator<unknown> | AsyncIterator<unknown>;

const isLater = (value: unknown): value is Later =>
  typeof (value as Partial<Later> | null)?.then === 'function';
const isSeveral = (value: unknown): value is Several =>
  typeof (value as Partial<Several> | null)?.next === 'function';

function nameOfValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object (${value?.constructor?.name ?? 'null'})`;
  return typeof value === 'string' ? 'a string' : String(value);
}

/** Calls a filter, and trusts nothing that comes back. */
export class RowFilter {
  readonly #filter: Filter;
  readonly #name: string;

  /** @param name - of the filter, for messages */
  constructor(filter: Filter, name: string) {
    this.#filter = filter;
    this.#name = name;
  }

  /**
   * @returns a promise only where the filter makes one wait
   * @throws TntarError that names filter, space and key
   */
  call(where: FilteredSpace, raw: Buffer, keep: Keep): void | Promise<void> {
    where.tally.in++;
    let result: unknown;
    try {
      result = this.#filter(where.space, new Tuple(raw, where.names), TYPES);
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    if (result instanceof Tuple) this.#keep(where, raw, result, keep);
    else if (result === null || result === undefined) where.tally.skipped++;
    else return this.#wait(where, raw, result, keep);
  }

  #keep({ tally }: FilteredSpace, raw: Buffer, result: Tuple, keep: Keep): void {
    tally.out++;
    if (result.raw !== raw) tally.changed++;
    keep(result.raw);
  }

  async #wait(where: FilteredSpace, raw: Buffer, result: unknown, keep: Keep): Promise<void> {
    const { tally } = where;
    const before = tally.out;
    try {
      const awaited = isLater(result) ? await result : result;
      const results = isSeveral(awaited) ? awaited : [awaited].values();
      for (;;) {
        const { done, value } = await results.next();
        if (done === true) break;
        if (value instanceof Tuple) this.#keep(where, raw, value, keep);
        else if (value !== null && value !== undefined) {
          throw new TypeError(`it returned ${nameOfValue(value)}, not a tuple, null or undefined`);
        }
      }
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    if (tally.out === before) tally.skipped++;
  }

  #failed({ space, key }: FilteredSpace, raw: Buffer, error: unknown): TntarError {
    const shown = showKey((key.length === 0 ? undefined : extractKey(raw, key)) ?? raw);
    const message = `${this.#name}: space '${space.name}', row ${shown}: ${messageOf(error)}`;
    const hint =
      (error instanceof TntarError ? error.hint : undefined) ??
      'mend the filter: it has to return a tuple, or nothing for a row that is to be skipped';
    return new TntarError('failure', message, { cause: error, hint });
  }
}

/** Rows that were let through, gathered into runs of memory: what nobody changed is moved at once. */
export class Rows {
  #runs: { memory: ArrayBufferLike; start: number; end: number }[] = [];
  bytes = 0;
  count = 0;

  add(raw: Buffer): void {
    const { buffer, byteOffset, length } = raw;
    const last = this.#runs.at(-1);
    if (last?.memory === buffer && last.end === byteOffset) last.end += length;
    else this.#runs.push({ memory: buffer, start: byteOffset, end: byteOffset + length });
    this.bytes += length;
    this.count++;
  }

  /** All rows back to back, and begins anew. */
  take(): { bytes: Buffer; count: number } {
    const runs = this.#runs.map(({ memory, start, end }) =>
      Buffer.from(memory, start, end - start),
    );
    const taken = { bytes: runs.length === 1 ? runs[0]! : Buffer.concat(runs), count: this.count };
    [this.#runs, this.bytes, this.count] = [[], 0, 0];
    return taken;
  }
}
