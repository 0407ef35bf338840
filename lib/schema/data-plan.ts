import { listOf, quoted } from '../report.js';
import { encode, type Value } from '../tuple/codec.js';
import { type Catalog, rowlessReason, type Space, type SystemRow } from './catalog.js';
import { rowsOfSpaces, type SpaceRows } from './columns.js';
import { type Existing, takesRows } from './existing.js';
import { foreignKeysOf, holdingKeys } from './foreign-keys.js';
import { misfitOf } from './misfit.js';
import type { Planner, Releases, Step } from './planner.js';
import { DEFAULT_VALUES, isOlder, type Release } from './release.js';
import { spaceIdOf, spaceNameOf } from './rows.js';
import { Field, SystemSpace, TRUNCATE_ID } from './system.js';

/** What goes along with rows alone. */
export interface DataPlan {
  /** Behind the rows. */
  after: Step[];
  /** What may stop some rows, one line for each space. */
  notes: string[];
}

/** In which order the rows of an archive come is not known before they do. */
function keysInTheWay({ fields }: SpaceRows, filled: ReadonlyMap<number, string>): string[] {
  return foreignKeysOf(fields).flatMap(({ name, childId, parentId }) => {
    const parent = parentId === childId ? 'itself' : `'${filled.get(parentId)}'`;
    return filled.has(parentId)
      ? `its foreign key '${name}' refers to ${parent}, and the rows of a parent may come later`
      : [];
  });
}

/**
 * The spaces of the target that get rows, by the spaces of the backup. One that can have none is a
 * conflict.
 *
 * @param isAll - whether one that the target has not is a conflict, too
 */
function pairSpaces(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  isAll: boolean,
): Map<Space, Space> {
  const there = new Map(target.spaces.map((space) => [space.id, space]));
  const pairs = new Map<Space, Space>();
  for (const space of backup.spaces) {
    if (rowlessReason(space) !== undefined) continue;
    const namesake = there.get(planner.ids.find('space', space.id) ?? -1);
    if (namesake === undefined && !isAll) continue;
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (namesake !== undefined && reason === undefined) pairs.set(space, namesake);
    else planner.conflicts.push(`no rows can go into '${space.name}': ${reason}`);
  }
  return pairs;
}

/**
 * Holds the spaces of a backup against those of the target that their rows are to go into. What keeps
 * all rows of a space out, so far as the two catalogs tell, becomes a conflict.
 *
 * @returns what may keep some out, one line for each space
 */
function fitRows(
  planner: Planner,
  pairs: ReadonlyMap<Space, Space>,
  backup: Catalog,
  target: Catalog,
  release: Release,
): string[] {
  const filled = new Map([...pairs.values()].map(({ id, name }) => [id, name]));
  const hasDefaults = !isOlder(release, DEFAULT_VALUES);
  const [from, to] = [rowsOfSpaces(backup), rowsOfSpaces(target)];
  const notes: string[] = [];
  for (const [{ id, name }, { id: targetId }] of pairs) {
    const there = to.get(targetId)!;
    const { never, maybe } = misfitOf(from.get(id)!, there, hasDefaults);
    for (const reason of [...never, ...keysInTheWay(there, filled)]) {
      planner.conflicts.push(`no rows can go into '${name}': ${reason}`);
    }
    if (maybe.length > 0) notes.push(`not all rows may go into '${name}': ${listOf(maybe)}`);
  }
  return notes;
}

/** What goes along with rows for spaces that are there. */
interface KeptPlan {
  /** Before the rows. */
  empty: Step[];
  /** What may stop some rows, one line for each space. */
  notes: string[];
}

/** The server refuses to empty a space to which others refer that have rows; SQL of 2.6 does not mind. */
function referencesFromOthers(target: Catalog, emptied: ReadonlyMap<number, string>): string[] {
  const spaces = target.rows(SystemSpace.SPACE);
  const names = new Map(spaces.map((row) => [spaceIdOf(row), spaceNameOf(row)]));
  const keys = spaces.flatMap(({ fields }) => foreignKeysOf(fields));
  return holdingKeys(keys, emptied).map(({ name, childId, parentId }) => {
    const [child, parent] = [quoted(names.get(childId)), quoted(emptied.get(parentId))];
    return `space ${parent} cannot be emptied: foreign key ${quoted(name)} of ${child} refers to it`;
  });
}

/** Plans to put rows into the spaces of the target that have the names of the backup's. */
export function planKept(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  release: Release,
  existing: Existing,
): KeptPlan {
  if (!takesRows(existing)) return { empty: [], notes: [] };
  const pairs = pairSpaces(planner, backup, target, false);
  const notes = fitRows(planner, pairs, backup, target, release);
  if (existing === 'replace') return { empty: [], notes };
  const emptied = new Map([...pairs.values()].map(({ id, name }) => [id, name]));
  planner.conflicts.push(...referencesFromOthers(target, emptied));
  const empty = [...emptied].map(
    ([id, name]): Step => ({
      spaceId: TRUNCATE_ID,
      verb: 'truncate',
      row: encode([id]),
      what: `space ${quoted(name)}`,
    }),
  );
  return { empty, notes };
}

/** Plans to put rows, and nothing else, into spaces that are there. */
export function planData(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  { target: release }: Releases,
): DataPlan {
  planner.leaveOut('all definitions, users, privileges and functions');
  const pairs = pairSpaces(planner, backup, target, true);
  const notes = fitRows(planner, pairs, backup, target, release.server);
  const after = planValues(planner, target, backup.userRows(SystemSpace.SEQUENCE_DATA));
  return { after, notes };
}

const toBigInt = (value: Value | undefined): bigint => BigInt(value as number | bigint);

/**
 * Values for sequences that are there. They, and maybe rows of their own that they count, were there
 * first: none goes back, and none leaves the bounds that it has there, behind which it would give nothing.
 *
 * @param isMoved - false for those that are to stay where they are, if they are there
 */
export function planValues(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
  isMoved: (sequenceId: Value | undefined) => boolean = () => true,
): Step[] {
  const { sequence, sequenceData } = Field;
  const byId = (spaceId: number): Map<Value | undefined, Value[]> =>
    new Map(target.rows(spaceId).map(({ fields }) => [fields[sequenceData.id], fields]));
  const sequences = byId(SystemSpace.SEQUENCE);
  const current = byId(SystemSpace.SEQUENCE_DATA);
  const moves = ({ fields }: SystemRow): boolean => {
    const id = planner.ids.find('sequence', fields[sequenceData.id]);
    const there = sequences.get(id);
    if (there === undefined) return true; // it is new, or the planner tells that it is not there
    if (!isMoved(fields[sequenceData.id])) return false;
    const value = toBigInt(fields[sequenceData.value]);
    const [min, max] = [toBigInt(there[sequence.min]), toBigInt(there[sequence.max])];
    if (value < min || value > max) {
      planner.leaveOut(
        `value of sequence '${there[sequence.name]}': ${value} is outside of its bounds there, ${min} to ${max}`,
      );
      return false;
    }
    const now = current.get(id);
    if (now === undefined) return true;
    const nowAt = toBigInt(now[sequenceData.value]);
    return Number(there[sequence.step]) > 0 ? nowAt < value : nowAt > value;
  };
  return planner.values(values.filter(moves));
}
