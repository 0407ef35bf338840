import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key } from '../iproto/constants.js';
import { bodyValue } from '../iproto/packets.js';
import { evaluate } from '../iproto/requests.js';
import { SystemSpace } from '../schema/system.js';
import { eachTuple } from '../tuple/batch.js';
import { splitFields } from '../tuple/fields.js';
import { readView } from './read-view.js';

/**
 * Rows of `_sequence_data` as they stand in the server's memory. A select over the space does not do:
 * it misses what `next()` has moved since the server started.
 */

/** They are at the start of a read view; the rest of it is not waited for. */
async function fromReadView(connection: Connection): Promise<Buffer[]> {
  const other = await connection.another();
  const rows: Buffer[] = [];
  try {
    for await (const item of readView(other)) {
      if (item.kind === 'vclock') continue;
      if (item.spaceId > SystemSpace.SEQUENCE_DATA) break;
      if (item.spaceId === SystemSpace.SEQUENCE_DATA) {
        for (const tuple of eachTuple(item.bytes)) rows.push(Buffer.from(tuple));
      }
    }
  } finally {
    other.close();
  }
  return rows;
}

/** `current()` raises where a sequence was never used; such a one has no row. */
const CURRENT_VALUES = `
  local rows = setmetatable({}, {__serialize = 'seq'})
  for _, sequence in box.space._sequence:pairs() do
    local used, value = pcall(function() return box.sequence[sequence.name]:current() end)
    if used then
      table.insert(rows, {sequence.id, value})
    elseif value.code ~= box.error.SEQUENCE_NOT_STARTED then
      error(value)
    end
  end
  return rows`;

async function fromLua(connection: Connection): Promise<Buffer[]> {
  const reply = await connection.request(evaluate(CURRENT_VALUES), 'read the sequences');
  const returned = bodyValue(reply, Key.DATA);
  const rows = returned === undefined ? undefined : splitFields(returned)[0];
  return rows === undefined ? [] : splitFields(rows).map((row) => Buffer.from(row));
}

/** @throws TntarError of kind `access` where the user may do neither of the two ways */
export async function readSequenceValues(connection: Connection): Promise<Buffer[]> {
  try {
    return await fromReadView(connection);
  } catch (error) {
    // A server code: it was asked, and refused (no privilege, or wal_mode = 'none').
    if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
  }
  try {
    return await fromLua(connection);
  } catch (error) {
    if (!(error instanceof TntarError) || error.kind !== 'access') throw error;
    throw new TntarError(
      'access',
      `the current values of the sequences are hidden: ${error.message}`,
      {
        hint: "grant the user read on universe (the role 'replication' has it)",
        cause: error,
      },
    );
  }
}
