import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';
import { Privilege } from '../schema/server/system-spaces.js';
import { Privileges } from '../schema/trust/privileges.js';
import { readVisible } from './catalog.js';

/**
 * The first patch release without the defect, of each release that a read view can hang, e.g. `3.2`.
 *
 * Source: tarantool#11604, `changelogs/3.2.2.md`, `3.3.3.md` and `3.4.1.md`. The rows of a read view are collected
 * in slabs of 4 MiB. An empty slab that is kept has an older number than a larger slab that was made for one
 * row in between. Rows that are then written to it are never sent, and the thread spins until the server is killed
 * (`lsregion_to_iovec()` of the library small, `xrow_stream_flush()` of `src/box/xrow_io.cc`). It is the
 * thread of all requests if rows of vinyl follow, or if they are the last rows.
 */
const MENDED: Readonly<Record<string, number>> = { '3.2': 2, '3.3': 3, '3.4': 1 };

/** A row of this size and its header fit into a slab of 4 MiB: `SLAB_SIZE` of `memory.c`. */
const SAFE_TUPLE_BYTES = 4 * 1024 * 1024 - 1024;

/**
 * No memtx tuple is larger than its whole space, or than the limit. The limit may have been lowered while the server
 * ran, which nobody can find out. The size of the tuples of a vinyl space is not known.
 */
const TUPLE_SIZES = `
  local held, vinyl = 0, 0
  for id, space in pairs(box.space) do
    if type(id) == 'number' and space.index[0] ~= nil then
      if space.engine == 'vinyl' then vinyl = box.cfg.vinyl_max_tuple_size end
      if space.engine == 'memtx' then held = math.max(held, tonumber(space:bsize())) end
    end
  end
  return math.max(math.min(held, box.cfg.memtx_max_tuple_size), vinyl)`;

/** @returns undefined if the user may not ask */
async function maxTupleBytes(connection: Connection): Promise<number | undefined> {
  try {
    const reply = await connection.request(evaluate(TUPLE_SIZES), 'ask for the size of tuples');
    return Returned.by(reply).number(0);
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}

/** A danger that a read view hangs the server, so that only `kill -9` ends it. */
export interface HangRisk {
  /** The reason. */
  why: string;
  /** True if the size of tuples is not known and no space uses vinyl. With vinyl, many more rows can hang it. */
  isSmall: boolean;
}

/** Returns the risk for a user who may not ask for the size of tuples. */
async function unknownRisk(connection: Connection): Promise<Omit<HangRisk, 'why'> | undefined> {
  const { catalog, hidden } = await readVisible(connection);
  const { user } = connection;
  // The server refuses a snapshot to a user who may not read all of this before it begins.
  if (hidden.length > 0) return undefined;
  if ((new Privileges(catalog, user).on('universe') & Privilege.READ) === 0) return undefined;
  return { isSmall: !catalog.spaces.some(({ engine }) => engine === 'vinyl') };
}

/**
 * Finds out whether a read view may hang this server: its release has the defect, and its tuples can be large enough,
 * or their size is not known.
 *
 * @returns undefined if it may not
 */
export async function hangRisk(connection: Connection): Promise<HangRisk | undefined> {
  const { major, minor, version } = connection.greeting;
  const mended = MENDED[`${major}.${minor}`];
  const patch = Number.parseInt(version.split('.')[2] ?? '', 10);
  if (mended === undefined || patch >= mended) return undefined;
  const where = `a snapshot of Tarantool ${version} can hang the server where tuples are over 4 MiB (tarantool#11604)`;
  const bytes = await maxTupleBytes(connection);
  if (bytes === undefined) {
    const why = `${where}, and user '${connection.user}' may not ask how large they can be`;
    const risk = await unknownRisk(connection);
    return risk && { why, ...risk };
  }
  if (bytes <= SAFE_TUPLE_BYTES) return undefined;
  return { why: `${where}, and they can be ${bytes} bytes large here`, isSmall: false };
}

/** The risk if it is not small, with its reason. */
export async function greatHangRisk(connection: Connection): Promise<string | undefined> {
  const risk = await hangRisk(connection);
  return risk === undefined || risk.isSmall ? undefined : risk.why;
}
