import { setImmediate } from 'node:timers/promises';
import { notTuple, type TupleBatch } from '../backup/batch.js';
import type { BackupEnd, Filtered } from '../backup/item.js';
import type { Omission } from '../backup/manifest.js';
import { messageOf, TntarError } from '../base/errors.js';
import { quoted, type Report } from '../base/report.js';
import { inTurns } from '../base/turns.js';
import { Catalog } from '../schema/catalog/catalog.js';
import type { Head } from '../schema/catalog/preamble.js';
import { validate } from '../schema/read/validate.js';
import { withoutSpaces } from '../schema/select/selection.js';
import { Field, SYSTEM_SPACES, SystemSpace } from '../schema/server/system-spaces.js';
import { placesInTurns } from '../tuple/places.js';
import { UNFINISHED, Walker } from '../tuple/walk.js';
import { type Filter, type FilterOutcome, listedSpaces } from './filter.js';
import { type FilterSpace, type RowFilter, spaceOf, systemSpaceOf } from './row-filter.js';
import { FilteredSpace, RowRunner, Rows, TURN_MS } from './row-runner.js';

/** In a row of more bytes, the offsets of fields are found before a filter reads them one by one. */
const LARGE_ROW = 256 * 1024;

/** Applies a filter to one backup. */
class Application {
  readonly #name: string;
  readonly #rows: RowRunner;
  readonly #isOfRows: boolean;
  /** By space id, in the order of their rows. */
  readonly #spaces = new Map<number, FilteredSpace>();

  constructor(filter: RowFilter, name: string, isOfRows: boolean) {
    this.#name = name;
    this.#isOfRows = isOfRows;
    this.#rows = new RowRunner(filter, name);
  }

  async head(head: Head): Promise<FilterOutcome> {
    const outcome = this.#isOfRows ? { head } : await this.#definitions(head);
    for (const space of outcome.head.catalog.spaces) {
      const key = space.primaryKey?.parts ?? [];
      const seen = (): FilterSpace => spaceOf(space);
      this.#spaces.set(space.id, new FilteredSpace(space.name, seen, this.#name, key));
    }
    return outcome;
  }

  /** Returns the definitions after the filter. */
  async #definitions(head: Head): Promise<FilterOutcome> {
    const catalog = new Catalog();
    for (const spaceId of SYSTEM_SPACES) {
      const system = systemSpaceOf(spaceId);
      const where = new FilteredSpace(system.name, () => system, this.#name, []);
      this.#spaces.set(spaceId, where);
      for (const { raw } of head.catalog.userRows(spaceId)) {
        const later = this.#rows.call(where, raw, (row) => {
          catalog.add(spaceId, Buffer.from(row));
          return false;
        });
        // Nothing is handed on before all definitions are complete, so there is one turn.
        await (await later)?.next();
      }
    }
    const outcome = this.#withoutGone({ ...head, catalog }, head.catalog);
    this.#check(outcome.head);
    return outcome;
  }

  /** Removes everything that belongs to a space whose own row was skipped. */
  #withoutGone(head: Head, before: Catalog): FilterOutcome {
    const { catalog } = head;
    const left = new Set(catalog.spaces.map(({ id }) => id));
    const gone = before
      .rows(SystemSpace.SPACE)
      .filter(({ fields }) => !left.has(Number(fields[Field.space.id])));
    const names = new Set(catalog.spaces.map(({ name }) => name));
    for (const { fields } of gone) {
      const name = String(fields[Field.space.name]);
      if (!names.has(name)) continue;
      throw new TntarError('failure', `${this.#name} changes the id of space ${quoted(name)}`, {
        hint: 'do not change ids: the rows would keep the old one; a restore finds a free id by itself',
      });
    }
    // Dependent objects are found by the names of the spaces.
    for (const row of gone) catalog.addRow(SystemSpace.SPACE, row);
    const { head: rest, lost } = withoutSpaces(head, ({ id }) => left.has(id));
    const skipped = gone.map(({ fields }): Omission => {
      const what = `space ${quoted(fields[Field.space.name])}, with its rows`;
      return { what, why: `${this.#name} skips its row of _space` };
    });
    return { head: rest, lost: [...skipped, ...lost] };
  }

  #check(head: Head): void {
    try {
      validate(listedSpaces(head), head.catalog);
    } catch (error) {
      const message = `${this.#name} makes definitions that no server accepts: ${messageOf(error)}`;
      throw new TntarError('failure', message, { cause: error });
    }
  }

  /**
   * The output shares memory with the input, and a filter may keep tuples as long as it likes: so no memory is
   * released for reuse.
   */
  async *rows({ kind, space, bytes }: TupleBatch): AsyncGenerator<TupleBatch> {
    const where = this.#spaces.get(space.id)!;
    const left = new Rows();
    const keep = (row: Buffer): boolean => left.add(row);
    const walker = new Walker();
    let turn = Date.now();
    for (let pos = 0; pos < bytes.length; ) {
      if (Date.now() - turn >= TURN_MS) {
        await setImmediate();
        turn = Date.now();
      }
      let end = walker.beginTuple(bytes, pos, bytes.length);
      if (end === UNFINISHED) end = await inTurns(walker.rest());
      if (end < 0) throw notTuple(bytes, pos);
      const raw = bytes.subarray(pos, end);
      pos = end;
      const places = raw.length < LARGE_ROW ? undefined : await inTurns(placesInTurns(raw));
      const later = this.#rows.call(where, raw, keep, places);
      if (later !== undefined) {
        for await (const _ of (await later) ?? []) yield { kind, space, ...left.take() };
      }
      if (left.isFull) yield { kind, space, ...left.take() };
    }
    if (left.count > 0) yield { kind, space, ...left.take() };
  }

  end(end: BackupEnd, report: Report): BackupEnd {
    const tallies: Filtered[] = [...this.#spaces.values()]
      .map(({ tally }) => tally)
      .filter((tally) => tally.in > 0);
    for (const { space, in: came, changed, skipped, out } of tallies) {
      if (changed + skipped > 0 || out !== came) {
        report.note(
          `${this.#name}: '${space}': ${came} rows in, ${changed} changed, ${skipped} skipped, ${out} out`,
        );
      }
      if (out === 0) report.warn(`${this.#name} skipped every row of '${space}'`);
    }
    return { ...end, filtered: [...(end.filtered ?? []), ...tallies] };
  }
}

/**
 * Calls a function for each row of each space, system spaces first, and goes on with the returned tuple. A tuple that
 * is returned unchanged keeps every byte.
 *
 * @param name - of the filter, for messages and for the archive
 * @returns a filter for any number of backups; it throws a TntarError of kind `failure` with filter, space and key
 * in its message if the filter throws, returns something other than a tuple, or makes definitions that no server
 * accepts
 * @throws TntarError of kind `usage` if the filter is not a function
 * @example
 * const vinyl: RowFilter = (space, tuple) =>
 *   space.id === SystemSpace.SPACE ? tuple.set('engine', 'vinyl') : tuple;
 * await restore(input, server, { filters: [applyFilter(vinyl, 'to vinyl')] });
 */
export function applyFilter(filter: RowFilter, name: string): Filter {
  if (typeof filter !== 'function') {
    throw new TntarError('usage', `${name}: a filter is a function of space and tuple`);
  }
  return filterOf(filter, name, false);
}

/** Calls a function as {@link applyFilter} does, but only for rows of users' spaces. Definitions are not changed. */
export function filterRows(filter: RowFilter, name: string): Filter {
  return filterOf(filter, name, true);
}

function filterOf(filter: RowFilter, name: string, isOfRows: boolean): Filter {
  let application = new Application(filter, name, isOfRows);
  return {
    changed: name,
    head(head) {
      application = new Application(filter, name, isOfRows);
      return application.head(head);
    },
    rows: (batch) => application.rows(batch),
    end: (end, report) => application.end(end, report),
  };
}
