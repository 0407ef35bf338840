import { indexBy } from '../../base/collections.js';
import { listOf, quoted } from '../../base/report.js';
import type { Value } from '../../tuple/codec.js';
import { type Catalog, rowlessReason, type Space, type SystemRow } from '../catalog/catalog.js';
import { rowsOfSpaces, type SpaceRows } from '../catalog/columns.js';
import { foreignKeysOf, holdingKeys } from '../catalog/foreign-keys.js';
import { spaceIdOf, spaceNameOf } from '../catalog/rows.js';
import { DEFAULT_VALUES, isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace, TRUNCATE_ID } from '../server/system-spaces.js';
import type { PlanOptions, Releases } from './options.js';
import { isUsed, takesRows } from './options.js';
import { misfitOf } from './row-compatibility.js';
import { joinParts, type Part, type Step } from './step.js';
import type { Planner } from './step-builder.js';

/** In which order the rows of an archive come is not known before they do. */
function keysInTheWay({ fields }: SpaceRows, filled: ReadonlyMap<number, string>): string[] {
  return foreignKeysOf(fields).flatMap(({ name, childId, parentId }) => {
    const parent = parentId === childId ? 'itself' : `'${filled.get(parentId)}'`;
    return filled.has(parentId)
      ? `its foreign key '${name}' refers to ${parent}, and rows may be loaded before the rows that they refer to`
      : [];
  });
}

/** The spaces of the target that get rows, by the spaces of the backup. */
interface Pairs extends Pick<Part, 'conflicts'> {
  pairs: ReadonlyMap<Space, Space>;
}

/**
 * Finds the spaces of the target that get rows. One that can have none is a conflict.
 *
 * @param isAll - whether one that the target has not is a conflict, too
 */
function pairSpaces(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  isAll: boolean,
  excluded: ReadonlySet<number> = new Set(),
): Pairs {
  const there = indexBy(target.spaces, ({ id }) => id);
  const pairs = new Map<Space, Space>();
  const conflicts: string[] = [];
  for (const space of backup.spaces) {
    if (rowlessReason(space) !== undefined || excluded.has(space.id)) continue;
    const namesake = there.get(planner.ids.find('space', space.id) ?? -1);
    if (namesake === undefined && !isAll) continue;
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (namesake !== undefined && reason === undefined) pairs.set(space, namesake);
    else conflicts.push(`rows cannot be loaded into '${space.name}': ${reason}`);
  }
  return { pairs, conflicts };
}

/**
 * Holds the spaces of a backup against those of the target that their rows are to go into. What keeps
 * all rows of a space out, so far as the two catalogs tell, becomes a conflict; what may keep some out
 * becomes a note.
 */
function fitRows(
  pairs: ReadonlyMap<Space, Space>,
  backup: Catalog,
  target: Catalog,
  release: Release,
): Pick<Part, 'conflicts' | 'notes'> {
  const filled = new Map([...pairs.values()].map(({ id, name }) => [id, name]));
  const hasDefaults = !isOlder(release, DEFAULT_VALUES);
  const [from, to] = [rowsOfSpaces(backup), rowsOfSpaces(target)];
  const [conflicts, notes]: [string[], string[]] = [[], []];
  for (const [{ id, name }, { id: targetId }] of pairs) {
    const there = to.get(targetId)!;
    const { never, maybe } = misfitOf(from.get(id)!, there, hasDefaults);
    for (const reason of [...never, ...keysInTheWay(there, filled)]) {
      conflicts.push(`rows cannot be loaded into '${name}': ${reason}`);
    }
    if (maybe.length > 0) notes.push(`some rows may be refused by '${name}': ${listOf(maybe)}`);
  }
  return { conflicts, notes };
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

/** Plans to put rows into existing spaces with the names of the backup's. Returns the steps before the rows. */
export function planKept(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  release: Release,
  { existing = 'error', excluded }: PlanOptions,
): Part {
  if (!takesRows(existing)) return joinParts([]);
  const { pairs, conflicts } = pairSpaces(planner, backup, target, false, excluded);
  const fit = fitRows(pairs, backup, target, release);
  if (existing === 'replace') return joinParts([{ conflicts }, fit]);
  const emptied = new Map([...pairs.values()].map(({ id, name }) => [id, name]));
  const steps = [...emptied].map(
    ([id, name]): Step => ({
      spaceId: TRUNCATE_ID,
      verb: 'truncate',
      emptied: id,
      what: `space ${quoted(name)}`,
    }),
  );
  return joinParts([
    { conflicts },
    fit,
    { steps, conflicts: referencesFromOthers(target, emptied) },
  ]);
}

/** Plans to put rows, and nothing else, into existing spaces. Returns the steps after the rows. */
export function planData(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  { target: release }: Releases,
  { excluded }: PlanOptions,
): Part {
  const { pairs, conflicts } = pairSpaces(planner, backup, target, true, excluded);
  return joinParts([
    { conflicts, omissions: ['all definitions, users, privileges and functions'] },
    fitRows(pairs, backup, target, release.server),
    planValues(planner, target, backup.userRows(SystemSpace.SEQUENCE_DATA)),
  ]);
}

const toBigInt = (value: Value | undefined): bigint => BigInt(value as number | bigint);

/**
 * Values for sequences that are there. They, and maybe rows of their own that they count, were there
 * first: none goes back, and none leaves the bounds that it has there, behind which it would give nothing.
 *
 * @param isMoved - false for those that are to stay where they are, if they are there
 */
function planValues(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
  isMoved: (sequenceId: Value | undefined) => boolean = () => true,
): Part {
  const { sequence, sequenceData } = Field;
  const byId = (spaceId: number): Map<Value | undefined, Value[]> =>
    new Map(target.rows(spaceId).map(({ fields }) => [fields[sequenceData.id], fields]));
  const sequences = byId(SystemSpace.SEQUENCE);
  const current = byId(SystemSpace.SEQUENCE_DATA);
  const omissions: string[] = [];
  const moves = ({ fields }: SystemRow): boolean => {
    const id = planner.ids.find('sequence', fields[sequenceData.id]);
    const there = sequences.get(id);
    if (there === undefined) return true; // it is new, or the planner tells that it is not there
    if (!isMoved(fields[sequenceData.id])) return false;
    const value = toBigInt(fields[sequenceData.value]);
    const [min, max] = [toBigInt(there[sequence.min]), toBigInt(there[sequence.max])];
    if (value < min || value > max) {
      omissions.push(
        `value of sequence '${there[sequence.name]}': ${value} is outside its bounds on the target, ${min} to ${max}`,
      );
      return false;
    }
    const now = current.get(id);
    if (now === undefined) return true;
    const nowAt = toBigInt(now[sequenceData.value]);
    return Number(there[sequence.step]) > 0 ? nowAt < value : nowAt > value;
  };
  const moved = values.filter(moves);
  return joinParts([{ omissions }, planner.values(moved)]);
}

/** Plans the values of sequences. An existing sequence that stays has a value of its own, which never goes back. */
export function planSequences(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
  { only, existing = 'error' }: PlanOptions,
): Part {
  const wanted = values.filter((row) => !planner.kept.covers(SystemSpace.SEQUENCE_DATA, row));
  if (only !== 'data' && !isUsed(existing)) return planner.values(wanted);
  return planValues(
    planner,
    target,
    wanted,
    (id) => existing !== 'skip' || planner.kept.isNeeded(id),
  );
}
