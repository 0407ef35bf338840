import { setImmediate } from 'node:timers/promises';
import { countInTurns } from '../backup/batch.js';
import type { Filtered } from '../backup/item.js';
import { messageOf, TntarError } from '../base/errors.js';
import { inTurns } from '../base/turns.js';
import type { KeyPart } from '../schema/catalog/catalog.js';
import { extractKeyInTurns, showKey } from '../schema/catalog/keys.js';
import { countValues, isArray, skip } from '../tuple/msgpack.js';
import type { Places } from '../tuple/places.js';
import { TooManyFields, TooManyValues, Tuple } from '../tuple/tuple.js';
import { inOneTurn, LONG_BYTES } from '../tuple/walk.js';
import { type FilterSpace, positions, type RowFilter, TOOLS } from './row-filter.js';

/** One space while a filter processes its rows. */
export class FilteredSpace {
  readonly tally: Filtered;
  readonly #makeSpace: () => FilterSpace;
  #space: FilterSpace | undefined;
  #names: ReadonlyMap<string, number> | undefined;

  /**
   * @param name - the name of the space
   * @param space - creates the space for the filter when its first row comes, because formats may have 65,536 fields
   */
  constructor(
    name: string,
    space: () => FilterSpace,
    filter: string,
    /** The parts of its primary key, for messages. */
    readonly key: readonly KeyPart[],
  ) {
    this.#makeSpace = space;
    this.tally = { filter, space: name, in: 0, changed: 0, skipped: 0, out: 0 };
  }

  get space(): FilterSpace {
    this.#space ??= this.#makeSpace();
    return this.#space;
  }

  get names(): ReadonlyMap<string, number> {
    this.#names ??= positions(this.space);
    return this.#names;
  }
}

/** The time that a filter may block the event loop. Signals and lost connections are handled after it. */
export const TURN_MS = 50;

/**
 * The number of values that a message shows. A key has 255 parts at most, and a row without its key may have
 * millions.
 */
const MAX_SHOWN = 1000;

/**
 * Receives a row that a filter keeps.
 *
 * @returns true if the received rows must be handed on before the next one
 */
export type Keep = (raw: Buffer) => boolean;

type Later = PromiseLike<unknown>;
type Turns = AsyncGenerator<void> | undefined;
type Several = Iterator<unknown> | AsyncIterator<unknown>;

const isLater = (value: unknown): value is Later =>
  typeof (value as Partial<Later> | null)?.then === 'function';
/** Yields the results of a generator and closes it. Values need not be promises. */
async function* each(results: Several): AsyncGenerator<unknown, void> {
  const iterable = { [Symbol.asyncIterator]: () => results as AsyncIterator<unknown, unknown> };
  const last = yield* iterable;
  if (last === null || last === undefined) return;
  throw new TypeError('a generator must yield its tuples: a returned value would be lost');
}
const isSeveral = (value: unknown): value is Several =>
  typeof (value as Partial<Several> | null)?.next === 'function';

function nameOfValue(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object (${value?.constructor?.name ?? 'null'})`;
  return typeof value === 'string' ? 'a string' : String(value);
}

/** Returns true for a view of a whole tuple. A filter can make a view of any bytes. */
const isTuple = (raw: Buffer): boolean =>
  raw.length > 0 && isArray(raw[0]!) && skip(raw, 0, raw.length) === raw.length;

async function checkLarge(raw: Buffer): Promise<void> {
  const counted = await inTurns(countInTurns(raw));
  if (!('count' in counted) || counted.count !== 1) throw noBytes();
}

const noBytes = (): TypeError => new TypeError('it returned bytes that are not a tuple');

const noTuple = (value: unknown): TypeError =>
  new TypeError(`it returned ${nameOfValue(value)}, not a tuple, null or undefined`);

/** Calls a filter, and checks everything that it returns. */
export class RowRunner {
  readonly #filter: RowFilter;
  readonly #name: string;

  /** @param name - the name of the filter, for messages */
  constructor(filter: RowFilter, name: string) {
    this.#filter = filter;
    this.#name = name;
  }

  /**
   * Calls the filter for a row.
   *
   * @param places - of the fields of a large row
   * @returns undefined unless the filter needs time: then a generator to run to its end, which yields each time that
   * `keep` asks for it
   * @throws TntarError that names filter, space and key
   */
  call(where: FilteredSpace, raw: Buffer, keep: Keep, places?: Places): Turns | Promise<Turns> {
    where.tally.in++;
    let result: unknown;
    try {
      result = this.#filter(where.space, new Tuple(raw, where.names, places), TOOLS);
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    return isLater(result)
      ? this.#wait(where, raw, result, keep)
      : this.#take(where, raw, result, keep);
  }

  async #wait(where: FilteredSpace, raw: Buffer, later: Later, keep: Keep): Promise<Turns> {
    let result: unknown;
    try {
      result = await later;
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    return this.#take(where, raw, result, keep);
  }

  #take(
    where: FilteredSpace,
    raw: Buffer,
    result: unknown,
    keep: Keep,
  ): Turns | Promise<undefined> {
    if (result instanceof Tuple) {
      if (result.raw.length < LONG_BYTES || result.raw === raw)
        this.#keepOne(where, raw, result, keep);
      else return this.#keepLarge(where, raw, result, keep);
    } else if (result === null || result === undefined) where.tally.skipped++;
    else if (isSeveral(result)) return this.#takeAll(where, raw, result, keep);
    else throw this.#failed(where, raw, noTuple(result));
    return undefined;
  }

  #keepOne(where: FilteredSpace, raw: Buffer, result: Tuple, keep: Keep): void {
    try {
      this.#keep(where, raw, result, keep);
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
  }

  async #keepLarge(
    where: FilteredSpace,
    raw: Buffer,
    result: Tuple,
    keep: Keep,
  ): Promise<undefined> {
    try {
      await checkLarge(result.raw);
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    this.#keepOne(where, raw, result, keep);
  }

  #keep({ tally }: FilteredSpace, raw: Buffer, result: Tuple, keep: Keep): boolean {
    if (result.raw !== raw) {
      if (result.raw.length < LONG_BYTES && !isTuple(result.raw)) throw noBytes();
      tally.changed++;
    }
    tally.out++;
    return keep(result.raw);
  }

  async *#takeAll(
    where: FilteredSpace,
    raw: Buffer,
    results: Several,
    keep: Keep,
  ): AsyncGenerator<void> {
    const { tally } = where;
    const before = tally.out;
    let turn = Date.now();
    try {
      for await (const result of each(results)) {
        if (result instanceof Tuple) {
          if (result.raw.length >= LONG_BYTES && result.raw !== raw) await checkLarge(result.raw);
          if (this.#keep(where, raw, result, keep)) yield;
        } else if (result !== null && result !== undefined) throw noTuple(result);
        if (Date.now() - turn < TURN_MS) continue;
        await setImmediate();
        turn = Date.now();
      }
    } catch (error) {
      throw this.#failed(where, raw, error);
    }
    if (tally.out === before) tally.skipped++;
  }

  #failed({ space, key }: FilteredSpace, raw: Buffer, error: unknown): TntarError {
    const found = (key.length === 0 ? undefined : inOneTurn(extractKeyInTurns(raw, key))) ?? raw;
    const shown = countValues(found, MAX_SHOWN) > MAX_SHOWN ? 'without a key' : showKey(found);
    const message = `${this.#name}: space '${space.name}', row ${shown}: ${messageOf(error)}`;
    const isOurs = [TntarError, TooManyValues, TooManyFields].some((Kind) => error instanceof Kind);
    const hint =
      (isOurs ? (error as TooManyValues).hint : undefined) ??
      'fix the filter: it must return a tuple, or nothing to skip the row';
    return new TntarError('failure', message, { cause: error, hint });
  }
}

/** The number of bytes at which rows are handed on, however many rows a filter returns. */
const BATCH_BYTES = 2 * 1024 * 1024;

/** Collects kept rows. Runs of unchanged rows are copied at once. */
export class Rows {
  #runs: { memory: ArrayBufferLike; start: number; end: number }[] = [];
  bytes = 0;
  count = 0;
  #largest = 0;

  get isFull(): boolean {
    return this.bytes >= BATCH_BYTES;
  }

  /**
   * Adds a row.
   *
   * @returns true if these rows must be taken before more are added
   */
  add(raw: Buffer): boolean {
    const { buffer, byteOffset, length } = raw;
    const last = this.#runs.at(-1);
    if (last?.memory === buffer && last.end === byteOffset) last.end += length;
    else this.#runs.push({ memory: buffer, start: byteOffset, end: byteOffset + length });
    this.bytes += length;
    this.count++;
    this.#largest = Math.max(this.#largest, length);
    return this.isFull;
  }

  /** Returns all rows back to back, and starts again. */
  take(): { bytes: Buffer; count: number; largest: number } {
    const runs = this.#runs.map(({ memory, start, end }) =>
      Buffer.from(memory, start, end - start),
    );
    const bytes = runs.length === 1 ? runs[0]! : Buffer.concat(runs);
    const taken = { bytes, count: this.count, largest: this.#largest };
    [this.#runs, this.bytes, this.count, this.#largest] = [[], 0, 0, 0];
    return taken;
  }
}
