import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** Runs nothing: each prepared statement is forgotten at once. */
const PREPARE = `
  local refused = setmetatable({}, {__serialize = 'seq'})
  for i, sql in ipairs(...) do
    local ok, statement, problem = pcall(box.prepare, sql)
    if ok and statement then
      statement:unprepare()
    else
      table.insert(refused, {i, tostring(ok and problem or statement)})
    end
  end
  return refused`;

/**
 * Refusals that hold for an expression wherever it stands. Others may be about the statement around it.
 *
 * Source: `find_built_in_func()` of the server's `src/box/sql/func.c`, and `expr_code_int()` of
 * `src/box/sql/expr.c`.
 */
const CERTAIN = /wrong arguments for function|Integer literal .* exceeds the supported range/;

/** The number of statements in one request, during which the server does nothing else. */
const BATCH = 100;

/**
 * Asks a server which statements in SQL it refuses to prepare. It runs none of them.
 *
 * @param statements - by the keys of the result
 * @returns the reasons for the refused statements; empty if the user may not ask
 * @example
 * await readRefusals(connection, new Map([['a', "SELECT (HEX('a'))"]])); // Map { 'a' => 'wrong arguments …' }
 */
export async function readRefusals(
  connection: Connection,
  statements: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const all = [...statements];
  const refusals = new Map<string, string>();
  try {
    for (let first = 0; first < all.length; first += BATCH) {
      const batch = all.slice(first, first + BATCH);
      const request = evaluate(PREPARE, [batch.map(([, sql]) => sql)]);
      const reply = await connection.request(request, 'ask about expressions');
      for (const refused of Returned.by(reply).list(0).lists()) {
        const [name] = batch[refused.number(0) - 1] ?? [];
        const why = refused.text(1);
        if (name !== undefined && CERTAIN.test(why)) refusals.set(name, why);
      }
    }
  } catch (error) {
    if (!(error instanceof TntarError) || error.kind !== 'access') throw error;
  }
  return refusals;
}
