import type { Outlook, Size } from '../archive/items.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode } from '../iproto/constants.js';
import { listOf, quoted } from '../report.js';
import type { Catalog } from '../schema/catalog.js';
import type { RestorePlan } from '../schema/plan.js';
import { isTable } from '../schema/rows.js';
import { SystemSpace, TRUNCATE_ID } from '../schema/system.js';
import { type Capacity, readCapacity } from '../server/capacity.js';
import { decode, type Value } from '../tuple/codec.js';

/** The setting of the target that limits a tuple, by the engine. */
const LARGEST_TUPLE: Readonly<Record<string, string>> = {
  memtx: 'memtx_max_tuple_size',
  vinyl: 'vinyl_max_tuple_size',
};

/**
 * Bytes that a tuple takes at least beside its own: `struct tuple` of the server's `src/box/tuple.h`, which
 * may be compact where the tuple is small.
 */
const HEADER = 10;
const COMPACT_HEADER = 6;
/** And in the primary index: its address. Other indexes may leave rows out. */
const ADDRESS = 8;

/** Rows that will go into one space of the target. */
export interface Load {
  /** Of the space in the backup. */
  id: number;
  name: string;
  engine: string;
  size: Size;
  /** Whether the server makes rows smaller than they come. */
  isCompressed: boolean;
}

/** Rows that will go into the target, so far as something is known of them. */
export function loadsOf(
  { destinations }: Pick<RestorePlan, 'destinations'>,
  sizes: ReadonlyMap<number, Size>,
  backup: Catalog,
  target: Catalog,
  made: Catalog,
): Load[] {
  const ours = new Map(backup.spaces.map((space) => [space.id, space]));
  const theirs = new Map(target.spaces.map((space) => [space.id, space]));
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

/** What the target has no room for, and how to make room. */
export interface Shortage {
  what: string;
  /** A setting of the target, and the value that it needs at least. */
  setting: string;
  least: number;
}

/** Tuples that are larger than the target takes. */
function largeTuples(loads: readonly Load[], { largest }: Capacity): Shortage[] {
  return loads.flatMap(({ name, engine, size, isCompressed }) => {
    const setting = LARGEST_TUPLE[engine];
    const most = largest[engine];
    const needed = (size.largest ?? 0) + HEADER;
    if (setting === undefined || most === undefined || isCompressed || !(needed > most)) return [];
    const what = `space ${quoted(name)}: a row of ${size.largest} bytes, and the target takes ${most} (${setting})`;
    return [{ what, setting, least: needed }];
  });
}

/** Rows of memtx that cannot fit the memory that the target has left, even if nothing else took any. */
function tooManyRows(loads: readonly Load[], { memory, used, freed }: Capacity): Shortage[] {
  const needed = loads
    .filter(({ engine, isCompressed }) => engine === 'memtx' && !isCompressed)
    .reduce((sum, { size }) => sum + size.bytes + size.rows * (COMPACT_HEADER + ADDRESS), 0);
  const taken = Math.max(0, used - freed);
  if (needed <= memory - taken) return [];
  const what = `rows of memtx need more than ${needed} bytes of memory, and the target has ${Math.max(0, memory - taken)} left of ${memory} (memtx_memory)`;
  return [{ what, setting: 'memtx_memory', least: needed + taken }];
}

/** True where a live source takes larger rows than the target, and nobody has looked at each. */
function isUncertain({ engine, size }: Load, { largest }: Capacity): boolean {
  return size.largest === undefined && (size.atMost ?? 0) > (largest[engine] ?? Number.NaN);
}

/** Has the source look at its rows where that decides, but not at those on its disks. */
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

/** Whether rows of a live source may be too large: nobody has looked at each. */
function maybeTooLarge(loads: readonly Load[], capacity: Capacity): string[] {
  const notes = loads
    .filter((load) => isUncertain(load, capacity))
    .map(({ engine, size: { atMost } }) => {
      const most = `${capacity.largest[engine]} (${LARGEST_TUPLE[engine]})`;
      return `the source takes rows of ${engine} of up to ${atMost} bytes, and the target of up to ${most}: a larger one stops the restore`;
    });
  return [...new Set(notes)];
}

/** Compares what will come with what the target has room for. What is not known is not held against it. */
export function shortagesOf(loads: readonly Load[], capacity: Capacity): Shortage[] {
  return [...largeTuples(loads, capacity), ...tooManyRows(loads, capacity)];
}

/** Spaces of the target whose rows will be gone, or may be replaced. */
function freedBy({ drops, before, destinations }: RestorePlan): number[] {
  const keyOf = (row: Buffer): number => Number((decode(row) as Value[])[0]);
  const dropped = drops.filter(
    ({ spaceId, verb }) => spaceId === SystemSpace.SPACE && verb === 'delete',
  );
  const emptied = before.filter(({ spaceId }) => spaceId === TRUNCATE_ID);
  const filled = [...destinations.values()].filter(
    ({ keepsRows, onConflict }) => keepsRows && onConflict !== 'error',
  );
  return [
    ...new Set([
      ...[...dropped, ...emptied].map(({ row }) => keyOf(row)),
      ...filled.map(({ id }) => id),
    ]),
  ];
}

function settings(shortages: readonly Shortage[]): string {
  const least = new Map<string, number>();
  for (const { setting, least: each } of shortages) {
    least.set(setting, Math.max(each, least.get(setting) ?? 0));
  }
  return [...least].map(([setting, value]) => `${setting} to more than ${value}`).join(', and ');
}

/**
 * Refuses a target that has no room for rows that will come, so far as it is known how large they are.
 *
 * @returns what may turn out too large, one line each
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

/** What to do about errors of a server that has no room. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [ErrorCode.MEMORY_ISSUE, 'raise memtx_memory in box.cfg of the target'],
  [ErrorCode.MEMTX_MAX_TUPLE_SIZE, 'raise memtx_max_tuple_size in box.cfg of the target'],
  [ErrorCode.VINYL_MAX_TUPLE_SIZE, 'raise vinyl_max_tuple_size in box.cfg of the target'],
  [ErrorCode.VY_QUOTA_TIMEOUT, 'raise vinyl_memory or vinyl_timeout in box.cfg of the target'],
]);

/** The same error with what to do, where the target had no room. */
export function withRoomHint(error: TntarError): TntarError {
  const { kind, message, serverCode } = error;
  const hint = serverCode === undefined ? undefined : HINTS.get(serverCode);
  if (serverCode === undefined || hint === undefined) return error;
  return new TntarError(kind, message, { serverCode, hint, cause: error });
}
