import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** Views have no rows; of a vinyl space it is what its index has noted, and a little off. */
const LENGTHS = `
  local lengths = {}
  for id, space in pairs(box.space) do
    if type(id) == 'number' and id >= 512 and space.index[0] ~= nil and not space.temporary then
      table.insert(lengths, {id, space:len()})
    end
  end
  return lengths`;

/**
 * Asks how many rows there are, to show how far a run has come.
 *
 * @returns nearly as many as a dump reads, by space id; undefined if the user may not ask
 * @example
 * const rows = await expectedRows(connection);
 * rows?.get(512);
 */
export async function expectedRows(
  connection: Connection,
): Promise<ReadonlyMap<number, number> | undefined> {
  try {
    const reply = await connection.request(evaluate(LENGTHS), 'ask for the number of rows');
    const lengths = Returned.by(reply).list(0).lists();
    return new Map(lengths.map((each) => [each.count(0), each.count(1)]));
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}
