import { TntarError } from '../base/errors.js';
import { returnedRows } from '../iproto/bodies.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';
import { isWithoutReadView, readView } from '../iproto/snapshot-reader.js';
import { Catalog } from '../schema/catalog/catalog.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { greatHangRisk } from './hang-risk.js';
import { readOldSequences } from './old-sequences.js';
import { hasReadView } from './releases.js';
import type { Hidden } from './unreadable.js';

/**
 * Rows of `_sequence_data` as they stand in the server's memory. A select over the space does not do:
 * it misses what `next()` has moved since the server started.
 */
export interface SequenceValues {
  rows: Buffer[];
  /** Sequences whose value the user may not read. */
  hidden: Hidden[];
}

/** They are at the start of a read view; the rest of it is not waited for. */
async function fromReadView(connection: Connection): Promise<SequenceValues> {
  const other = await connection.another();
  // It says when there are more rows than any server has.
  const head = new Catalog();
  try {
    for await (const item of readView(other)) {
      if (item.kind === 'vclock') continue;
      if (item.spaceId > SystemSpace.SEQUENCE_DATA) break;
      head.addAll(item.spaceId, item.bytes);
      item.release();
    }
  } finally {
    other.close();
  }
  return { rows: head.rows(SystemSpace.SEQUENCE_DATA).map(({ raw }) => raw), hidden: [] };
}

/**
 * Lua that reads the values of sequences. `current()` raises an error if a sequence was never used, which then has no
 * row. It needs write on the sequence. The errors for sequences without write are returned apart.
 *
 * Source: `access_check_sequence()` of the server's `src/box/sequence.c`.
 */
const CURRENT_VALUES = `
  local rows = setmetatable({}, {__serialize = 'seq'})
  local denied = setmetatable({}, {__serialize = 'seq'})
  for _, sequence in box.space._sequence:pairs() do
    local used, value = pcall(function() return box.sequence[sequence.name]:current() end)
    if used then
      table.insert(rows, {sequence.id, value})
    elseif value.code == box.error.ACCESS_DENIED then
      table.insert(denied, {sequence.name, tostring(value)})
    elseif value.code ~= box.error.SEQUENCE_NOT_STARTED then
      error(value)
    end
  end
  return rows, denied`;

function hiddenValue(name: string, why: string): Hidden {
  return { what: `the value of sequence '${name}'`, why };
}

async function fromLua(connection: Connection): Promise<SequenceValues> {
  const doing = 'read the sequences';
  const reply = await connection.request(evaluate(CURRENT_VALUES), doing);
  const denied = Returned.by(reply).list(1).lists();
  return {
    rows: returnedRows(reply),
    hidden: denied.map((each) => hiddenValue(each.text(0), each.text(1))),
  };
}

/** @param names - the sequences, which are all hidden from a user who may not run Lua */
async function fromLuaIfAllowed(
  connection: Connection,
  names: readonly string[],
): Promise<SequenceValues> {
  try {
    return await fromLua(connection);
  } catch (error) {
    if (!(error instanceof TntarError) || error.kind !== 'access') throw error;
    return { rows: [], hidden: names.map((name) => hiddenValue(name, error.message)) };
  }
}

const HANG_HINT =
  'grant the user execute on lua_eval and write on the sequences, or take a snapshot with --force-snapshot if you know that no tuple is over 4 MiB';

/** @param told - the answers of Lua so far */
async function fromReadViewIfAny(
  connection: Connection,
  told: SequenceValues,
): Promise<SequenceValues> {
  const risk = await greatHangRisk(connection);
  if (risk !== undefined) {
    const hidden = told.hidden.map(({ what, why }) => ({
      what,
      why: `${why}; ${risk}`,
      hint: HANG_HINT,
    }));
    return { ...told, hidden };
  }
  try {
    return await fromReadView(connection);
  } catch (error) {
    if (!isWithoutReadView(error)) throw error;
    return told;
  }
}

/**
 * Reads the values in the one way or the other that the server lets the user read them. A read view is the last
 * resort: it makes the server hold the state of the whole database, waits for a quorum, and may hang some releases.
 *
 * @param catalog - tells which sequences there are
 */
export async function readSequenceValues(
  connection: Connection,
  catalog: Catalog,
): Promise<SequenceValues> {
  const sequences = catalog.rows(SystemSpace.SEQUENCE);
  if (sequences.length === 0) return { rows: [], hidden: [] };
  if (!hasReadView(connection.greeting.version)) {
    return { rows: await readOldSequences(connection), hidden: [] };
  }
  const names = sequences.map(({ fields }) => String(fields[Field.sequence.name]));
  const told = await fromLuaIfAllowed(connection, names);
  return told.hidden.length === 0 ? told : fromReadViewIfAny(connection, told);
}
