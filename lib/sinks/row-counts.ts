import { asTntarError, TntarError } from '../base/errors.js';
import type { Report } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';
import type { Destination } from '../schema/plan/destinations.js';

/** Counts the rows of spaces on the target, in all engines. */
const COUNT_ROWS = `
  local counts = setmetatable({}, {__serialize = 'seq'})
  for i, id in ipairs(...) do counts[i] = box.space[id].index[0]:count() end
  return counts`;

/** @returns undefined if the user may not run Lua */
async function countRows(
  connection: Connection,
  ids: readonly number[],
): Promise<number[] | undefined> {
  if (ids.length === 0) return [];
  try {
    const request = evaluate(COUNT_ROWS, [[...ids]]);
    const reply = await connection.request(request, 'count the rows', true);
    return Returned.by(reply).list(0).numbers();
  } catch (error) {
    if (asTntarError(error).kind !== 'access') throw error;
    return undefined;
  }
}

/** The number of rows that were written into a space. */
export interface Written {
  destination: Destination;
  /** All written rows, including those that replaced others. */
  rows: number;
}

/** Checks the row counts of the target, independently of its answers to each row. */
export class RowCounts {
  readonly #connection: Connection;
  readonly #report: Report;
  /** Counts before the restore, by the target's space id. */
  readonly #before = new Map<number, number>();

  constructor(connection: Connection, report: Report) {
    this.#connection = connection;
    this.#report = report;
  }

  /**
   * Counts the rows before the restore.
   *
   * @param ids - the target's ids of spaces that already have rows
   */
  async countBefore(ids: readonly number[]): Promise<void> {
    const counts = await countRows(this.#connection, ids);
    for (const [i, id] of ids.entries()) this.#before.set(id, counts?.[i] ?? 0);
  }

  /**
   * Compares the row counts with the written rows.
   *
   * @returns the numbers of replaced rows, by the id of their space: the rows that the total lacks
   * @throws TntarError of kind `failure` that names a space with an unexpected number of rows
   */
  async check(spaces: readonly Written[]): Promise<ReadonlyMap<number, number>> {
    const counts = await countRows(
      this.#connection,
      spaces.map(({ destination }) => destination.id),
    );
    const replaced = new Map<number, number>();
    if (counts === undefined) {
      this.#report.note(
        'cannot count the rows on the target, but the target confirmed each of them',
      );
      return replaced;
    }
    for (const [i, { destination, rows }] of spaces.entries()) {
      const { id, name, onConflict } = destination;
      const before = this.#before.get(id) ?? 0;
      const now = counts[i]!;
      const most = before + rows;
      const isRight =
        onConflict === 'replace' ? now >= Math.max(before, rows) && now <= most : now === most;
      if (!isRight) throw miscounted(name, onConflict === 'replace' ? 'up to ' : '', most, now);
      replaced.set(id, most - now);
    }
    return replaced;
  }
}

function miscounted(name: string, bound: string, expected: number, now: number): TntarError {
  return new TntarError(
    'failure',
    `space '${name}': the target should have ${bound}${expected} rows now, but has ${now}`,
    { hint: 'check whether another client writes to the target, or a trigger there changes rows' },
  );
}
