import type { Outlook, Size } from '../backup/item.js';
import { indexBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import { listOf, quoted } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode } from '../iproto/constants.js';
import type { Catalog } from '../schema/catalog/catalog.js';
import { isTable } from '../schema/catalog/rows.js';
import type { RestorePlan } from '../schema/plan/plan.js';
import { SystemSpace } from '../schema/server/system-spaces.js';
import { type Capacity, readCapacity } from '../server/capacity.js';
import { decode, type Value } from '../tuple/codec.js';

/** The setting of the target that limits a tuple, by the engine. */
const LARGEST_TUPLE: Readonly<Record<string, string>> = {
  memtx: 'memtx_max_tuple_size',
  vinyl: 'vinyl_max_tuple_size',
};

/**
 * The least number of bytes that a tuple takes beside its own: `struct tuple` of the server's `src/box/tuple.h`,
 * which may be compact if the tuple is small.
 */
const HEADER = 10;
const COMPACT_HEADER = 6;
/** The bytes that a tuple takes in the primary index: its address. Other indexes may leave rows out. */
const ADDRESS = 8;

/** Rows to be loaded into one space of the target. */
export interface Load {
  /** The id of the space in the backup. */
  id: number;
  name: string;
  engine: string;
  size: Size;
  /** True if the server compresses rows. */
  isCompressed: boolean;
}

/** Returns the rows to be loaded into the target, as far as their sizes are known. */
export function loadsOf(
  { destinations }: Pick<RestorePlan, 'destinations'>,
  sizes: ReadonlyMap<number, Size>,
  backup: Catalog,
  target: Catalog,
  made: Catalog,
): Load[] {
  const ours = indexBy(backup.spaces, ({ id }) => id);
  const theirs = indexBy(target.spaces, ({ id }) => id);
  const isMade = new Set(made.spaces.map(({ id }) => id));
  return [...destinations].flatMap(([id, destination]) => {
    const size = sizes.get(id);
    const space = isMade.has(id) ? ours.get(id) : theirs.get(destination.id);
    if (size === undefined || space === undefined) return [];
    return [
      {
        id,
        name: destination.name,
        engine: space.engine,
        size,
        isCompressed: space.format.some(
          (field) => isTable(field) && (field['compression'] ?? 'none') !== 'none',
        ),
      },
    ];
  });
}

/** Rows that the target has no room for, and the setting to raise. */
export interface Shortage {
  what: string;
  /** A setting of the target, and the least value that it needs. */
  setting: string;
  least: number;
}

/** Returns a shortage for each space whose largest row exceeds the limit of the target. */
function largeTuples(loads: readonly Load[], { largest }: Capacity): Shortage[] {
  return loads.flatMap(({ name, engine, size, isCompressed }) => {
    const setting = LARGEST_TUPLE[engine];
    const most = largest[engine];
    const needed = (size.largest ?? 0) + HEADER;
    if (setting === undefined || most === undefined || isCompressed || !(needed > most)) return [];
    const what = `space ${quoted(name)}: a row has ${size.largest} bytes, and the target allows ${most} (${setting})`;
    return [{ what, setting, least: needed }];
  });
}

/** Returns a shortage if the rows of memtx do not fit into the free memory, even without any overhead. */
function tooManyRows(loads: readonly Load[], { memory, used, freed }: Capacity): Shortage[] {
  const needed = loads
    .filter(({ engine, isCompressed }) => engine === 'memtx' && !isCompressed)
    .reduce((sum, { size }) => sum + size.bytes + size.rows * (COMPACT_HEADER + ADDRESS), 0);
  const taken = Math.max(0, used - freed);
  if (needed <= memory - taken) return [];
  const what = `rows of memtx need more than ${needed} bytes of memory, and the target has ${Math.max(0, memory - taken)} left of ${memory} (memtx_memory)`;
  return [{ what, setting: 'memtx_memory', least: needed + taken }];
}

/** Returns true if a live source allows larger rows than the target, and the rows were not measured. */
function isUncertain({ engine, size }: Load, { largest }: Capacity): boolean {
  return size.largest === undefined && (size.atMost ?? 0) > (largest[engine] ?? Number.NaN);
}

/** Lets a live source measure its rows if that decides. Rows of vinyl are on disk, and are not read twice. */
async function measure(
  loads: readonly Load[],
  capacity: Capacity,
  largestRows: Outlook['largestRows'],
): Promise<Load[]> {
  const asked = loads.filter((load) => load.engine === 'memtx' && isUncertain(load, capacity));
  const found = asked.length === 0 ? undefined : await largestRows?.(asked.map(({ id }) => id));
  return loads.map((load) => {
    const largest = found?.get(load.id);
    return largest === undefined ? load : { ...load, size: { ...load.size, largest } };
  });
}

/** Returns a warning for each engine whose rows may be too large. */
function maybeTooLarge(loads: readonly Load[], capacity: Capacity): string[] {
  const notes = loads
    .filter((load) => isUncertain(load, capacity))
    .map(({ engine, size: { atMost } }) => {
      const most = `${capacity.largest[engine]} (${LARGEST_TUPLE[engine]})`;
      return `the source allows rows of ${engine} of up to ${atMost} bytes, and the target of up to ${most}: a larger row stops the restore`;
    });
  return [...new Set(notes)];
}

/** Compares the rows with the room of the target. Unknown figures are never a shortage. */
export function shortagesOf(loads: readonly Load[], capacity: Capacity): Shortage[] {
  return [...largeTuples(loads, capacity), ...tooManyRows(loads, capacity)];
}

/** Returns the ids of the target's spaces whose rows will be removed or may be replaced. */
function freedBy({ drops, before, destinations }: RestorePlan): number[] {
  const dropped = drops.flatMap((step) =>
    step.spaceId === SystemSpace.SPACE && step.verb === 'delete'
      ? [Number((decode(step.key) as Value[])[0])]
      : [],
  );
  const emptied = before.flatMap((step) => (step.verb === 'truncate' ? [step.emptied] : []));
  const filled = [...destinations.values()].filter(
    ({ keepsRows, onConflict }) => keepsRows && onConflict !== 'error',
  );
  return [...new Set([...dropped, ...emptied, ...filled.map(({ id }) => id)])];
}

function settings(shortages: readonly Shortage[]): string {
  const least = new Map<string, number>();
  for (const { setting, least: each } of shortages) {
    least.set(setting, Math.max(each, least.get(setting) ?? 0));
  }
  return [...least].map(([setting, value]) => `${setting} to more than ${value}`).join(', and ');
}

/**
 * Refuses a target without room for the rows, as far as their sizes are known.
 *
 * @returns a line for each engine whose rows may be too large
 * @throws TntarError of kind `target` that names the settings
 */
export async function checkCapacity(
  connection: Connection,
  plan: RestorePlan,
  { sizes, largestRows }: Outlook,
  backup: Catalog,
  target: Catalog,
): Promise<string[]> {
  if (sizes === undefined || plan.destinations.size === 0) return [];
  const loads = loadsOf(plan, await sizes(), backup, target, plan.made);
  if (loads.length === 0) return [];
  const capacity = await readCapacity(connection, freedBy(plan));
  if (capacity === undefined) return [];
  const measured = await measure(loads, capacity, largestRows);
  const shortages = shortagesOf(measured, capacity);
  if (shortages.length === 0) return maybeTooLarge(measured, capacity);
  const whats = listOf(shortages.map(({ what }) => what));
  throw new TntarError(
    'target',
    `the target ${connection.where} has no room for this backup: ${whats}`,
    { hint: `raise ${settings(shortages)} in box.cfg of the target; nothing was written` },
  );
}

/** Hints for errors of a server without room, by error code. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [ErrorCode.MEMORY_ISSUE, 'raise memtx_memory in box.cfg of the target'],
  [ErrorCode.MEMTX_MAX_TUPLE_SIZE, 'raise memtx_max_tuple_size in box.cfg of the target'],
  [ErrorCode.VINYL_MAX_TUPLE_SIZE, 'raise vinyl_max_tuple_size in box.cfg of the target'],
  [ErrorCode.VY_QUOTA_TIMEOUT, 'raise vinyl_memory or vinyl_timeout in box.cfg of the target'],
]);

/** Returns the error with a hint if the target had no room; otherwise the same error. */
export function withRoomHint(error: TntarError): TntarError {
  const hint = error.serverCode === undefined ? undefined : HINTS.get(error.serverCode);
  return hint === undefined ? error : TntarError.wrap(error, { hint });
}
