import { TntarError } from '../base/errors.js';
import type { Connection } from '../iproto/connection.js';
import { evaluate } from '../iproto/requests.js';
import { Returned } from '../iproto/returned.js';

/** The room that a server has, in bytes. */
export interface Capacity {
  /** Largest tuples, by the engine. */
  largest: Readonly<Record<string, number>>;
  /** `memtx_memory` */
  memory: number;
  /** The part of it that tuples and indexes take. */
  used: number;
  /** The most that the named spaces take of that. */
  freed: number;
}

/** An upper bound of the memory for a tuple beside its own bytes, the loss by slabs included. */
const TUPLE_OVERHEAD = 64;

const CAPACITY = `
  local ids, overhead = ...
  local slab = box.slab.info()
  local freed = 0
  for _, id in ipairs(ids) do
    local space = box.space[id]
    if space ~= nil and space.engine == 'memtx' and space.index[0] ~= nil then
      freed = freed + space:bsize() + space:len() * overhead
      for i, index in pairs(space.index) do
        if type(i) == 'number' then freed = freed + index:bsize() end
      end
    end
  end
  return {box.cfg.memtx_max_tuple_size, box.cfg.vinyl_max_tuple_size,
    slab.quota_size, slab.arena_used, freed}`;

/**
 * Asks a server how much room it has.
 *
 * @param spaces - ids of spaces whose rows will be gone, or replaced
 * @returns undefined if the user may not ask
 */
export async function readCapacity(
  connection: Connection,
  spaces: readonly number[],
): Promise<Capacity | undefined> {
  try {
    const request = evaluate(CAPACITY, [[...spaces], TUPLE_OVERHEAD]);
    const reply = await connection.request(request, 'ask for what it has room for');
    const figures = Returned.by(reply).list(0);
    return {
      largest: { memtx: figures.number(0), vinyl: figures.number(1) },
      memory: figures.number(2),
      used: figures.number(3),
      freed: figures.number(4),
    };
  } catch (error) {
    if (error instanceof TntarError && error.serverCode !== undefined) return undefined;
    throw error;
  }
}
