import type { Size } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import type { Value } from '../tuple/codec.js';

/**
 * Asks over a connection of its own: the other may be reading.
 *
 * @param questions - arguments of the expression, one for each request
 * @returns the answers up to the first question that the user may not ask
 */
async function askAside(
  connection: Connection,
  expression: string,
  questions: readonly Value[],
): Promise<Returned[]> {
  const answers: Returned[] = [];
  const other = await connection.another();
  try {
    for (const question of questions) {
      const request = evaluate(expression, [question]);
      const reply = await other.request(request, 'ask how large rows are', true);
      answers.push(Returned.by(reply));
    }
  } catch (error) {
    if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
  } finally {
    other.close();
  }
  return answers;
}

const SIZES = `
  local sizes = setmetatable({}, {__serialize = 'seq'})
  for id, space in pairs(box.space) do
    if type(id) == 'number' and id > ... and space.index[0] ~= nil and not space.temporary then
      local most = space.engine == 'vinyl' and box.cfg.vinyl_max_tuple_size or box.cfg.memtx_max_tuple_size
      table.insert(sizes, {id, space:len(), space:bsize(), most})
    end
  end
  return sizes`;

/**
 * Asks how many rows the spaces of users have, how large they are together, and how large one can be.
 *
 * @returns by space id, nearly; nothing if the user may not ask
 */
export async function readSizes(connection: Connection): Promise<ReadonlyMap<number, Size>> {
  const [sizes] = await askAside(connection, SIZES, [SYSTEM_ID_MAX]);
  return new Map(
    sizes
      ?.list(0)
      .lists()
      .map((each): [number, Size] => [
        each.count(0),
        { rows: each.count(1), bytes: each.count(2), atMost: each.count(3) },
      ]),
  );
}

/** Others take their turns meanwhile. */
const LARGEST = `
  local fiber = require('fiber')
  local largest, count = 0, 0
  for _, tuple in box.space[...]:pairs() do
    largest, count = math.max(largest, tuple:bsize()), count + 1
    if count % 1000 == 0 then fiber.yield() end
  end
  return largest`;

/**
 * Has the server look at all rows of some spaces.
 *
 * @returns bytes of the largest row, by space id; of spaces that the user may not ask about nothing
 */
export async function readLargestRows(
  connection: Connection,
  spaces: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const largest = await askAside(connection, LARGEST, spaces);
  return new Map(largest.map((bytes, i) => [spaces[i]!, bytes.number(0)]));
}
