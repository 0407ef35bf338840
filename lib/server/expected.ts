import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key } from '../iproto/constants.js';
import { bodyDecoded } from '../iproto/packets.js';
import { evaluate } from '../iproto/requests.js';

/** Views have no rows; of a vinyl space it is what its index has noted, and a little off. */
const LENGTHS = `
  local lengths = {}
  for id, space in pairs(box.space) do
    if type(id) == 'number' and id >= 512 and space.index[0] ~= nil and not space.temporary then
      table.insert(lengths, {space.name, space:len()})
    end
  end
  return lengths`;

/**
 * Asks how many rows there are, to show how far a dump has come.
 *
 * @param wants - false for spaces that are not to be counted
 * @returns nearly as many as a dump reads; undefined where the user may not ask
 * @example
 * await expectedRows(connection, (space) => space !== 'log');
 */
export async function expectedRows(
  connection: Connection,
  wants: (space: string) => boolean,
): Promise<number | undefined> {
  try {
    const reply = await connection.request(evaluate(LENGTHS), 'ask for the number of rows');
    const [lengths = []] = bodyDecoded(reply, Key.DATA) as [[string, number][]?];
    return lengths
      .filter(([name]) => wants(name))
      .reduce((rows, [, length]) => rows + Number(length), 0);
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}
