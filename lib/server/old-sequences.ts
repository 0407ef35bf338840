import { TntarError } from '../base/errors.js';
import { returnedRows } from '../iproto/bodies.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';

/**
 * Lua that reads the values of sequences on 1.10, which has no function for it: `next()` advances a sequence, and an
 * insert that takes a number from it leaves no row in `_sequence_data`. So a transaction takes the next number, sets
 * the sequence back to its value, and is rolled back. Nothing is written, and no other fiber can run in between, because
 * nothing yields.
 *
 * A rollback does not change a sequence: the rows that are replaced and deleted in the transaction set it. If the next
 * number is that of a new sequence, the sequence was not used, or behaves like a new one. If it is the first one within
 * the bounds, the value was before them, or the sequence cycles and was at its end. Then the sequence is set to a value
 * that gives the same next number.
 *
 * Source: `sequence_next()` of the server's `src/box/sequence.c`, and `on_replace_dd_sequence_data()` of
 * `src/box/alter.cc`, of 1.10.
 */
const VALUES = `
  local rows = setmetatable({}, {__serialize = 'seq'})
  local data = box.space._sequence_data
  -- large numbers come unsigned, and then -1 is the largest of all
  local function signed(...)
    local numbers = {...}
    for i, number in ipairs(numbers) do numbers[i] = require('ffi').cast('int64_t', number) end
    return unpack(numbers)
  end
  local function value_of(sequence)
    local id, name = sequence[1], sequence[3]
    local step, min, max, start = signed(sequence[4], sequence[5], sequence[6], sequence[7])
    -- where a sequence begins anew, and where it ends
    local first, limit = min, max
    if step < 0 then first, limit = max, min end
    local function is_before_first(value)
      return step > 0 and value < min or step < 0 and value > max
    end
    local known = data:get(id)
    local taken, number = pcall(function() return box.sequence[name]:next() end)
    if not taken then
      if number.code == box.error.SEQUENCE_OVERFLOW then return limit end
      error(number)
    end
    number = signed(number)
    if number == start and known == nil then
      data:delete(id)
      return nil
    end
    local value = number - step
    if number == first then
      -- bounds that were changed later may have left the value before all of them
      if known ~= nil and is_before_first(signed(known[2])) then
        value = signed(known[2])
      elseif sequence[9] then
        value = limit
      else
        value = step > 0 and first - 1 or first + 1
      end
    end
    data:replace({id, value})
    return value
  end
  -- whether this user may write, and the instance may be written to, before any number is taken
  box.begin()
  local may, reason = pcall(data.delete, data, 0)
  box.rollback()
  if not may then error(reason) end
  for _, sequence in box.space._sequence:pairs() do
    box.begin()
    local ok, value = pcall(value_of, sequence)
    box.rollback()
    if not ok then error(value) end
    if value ~= nil then table.insert(rows, {sequence[1], value}) end
  end
  return rows`;

const DOING = 'read the sequences';

function explained(error: TntarError, where: string): TntarError {
  return new TntarError(
    error.kind,
    `${where}: the values of sequences cannot be read: ${error.message}`,
    {
      cause: error,
      hint: 'read as admin, from the master: on 1.10 it takes execute on universe, and write on the space _sequence_data and on each sequence, on an instance that is not read-only',
    },
  );
}

/**
 * Reads the values of all sequences of a server of 1.10.
 *
 * @returns rows of `_sequence_data`
 * @throws TntarError of kind `access` or `failure` where the user, or the instance, cannot write
 */
export async function readOldSequences(connection: Connection): Promise<Buffer[]> {
  try {
    const reply = await connection.request(evaluate(VALUES), DOING);
    return returnedRows(reply);
  } catch (error) {
    if (!(error instanceof TntarError) || error === connection.lost) throw error;
    throw explained(error, connection.where);
  }
}
