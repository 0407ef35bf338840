import { listOf } from '../report.js';
import type { Value } from '../tuple/codec.js';
import { type Catalog, rowlessReason, type Space, type SystemRow } from './catalog.js';
import { rowsOfSpaces, type SpaceRows } from './columns.js';
import { misfitOf } from './misfit.js';
import type { Planner, Releases, Step } from './planner.js';
import { DEFAULT_VALUES, isOlder } from './release.js';
import { isTable } from './rows.js';
import { Field, SystemSpace } from './system.js';

/** What goes along with rows alone. */
export interface DataPlan {
  /** Behind the rows. */
  after: Step[];
  /** What may stop some rows, one line for each space. */
  notes: string[];
}

/** Foreign keys by name, with the space that each refers to; 0 stands for the space itself. */
function foreignKeys(row: SystemRow['fields']): [name: string, parentId: number][] {
  const { id, flags, format } = Field.space;
  const columns = row[format];
  const places = [row[flags], ...(Array.isArray(columns) ? columns : [])];
  const keys = places.flatMap((place) => {
    const named = isTable(place) ? place['foreign_key'] : undefined;
    return isTable(named) ? Object.entries(named) : [];
  });
  return keys.map(([name, key]) => {
    const parent = isTable(key) ? Number(key['space'] ?? 0) : 0;
    return [name, parent === 0 ? Number(row[id]) : parent];
  });
}

/** In which order the rows of an archive come is not known before they do. */
function keysInTheWay({ fields }: SpaceRows, filled: ReadonlyMap<number, string>): string[] {
  return foreignKeys(fields).flatMap(([name, parentId]) => {
    const parent = parentId === fields[Field.space.id] ? 'itself' : `'${filled.get(parentId)}'`;
    return filled.has(parentId)
      ? `its foreign key '${name}' refers to ${parent}, and the rows of a parent may come later`
      : [];
  });
}

/** The spaces of the target that get rows, by the spaces of the backup; the others are conflicts. */
function pairSpaces(planner: Planner, backup: Catalog, target: Catalog): Map<Space, Space> {
  const there = new Map(target.spaces.map((space) => [space.id, space]));
  const pairs = new Map<Space, Space>();
  for (const space of backup.spaces) {
    if (rowlessReason(space) !== undefined) continue;
    const namesake = there.get(planner.ids.find('space', space.id) ?? -1);
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (namesake !== undefined && reason === undefined) pairs.set(space, namesake);
    else planner.conflicts.push(`no rows can go into '${space.name}': ${reason}`);
  }
  return pairs;
}

/**
 * Plans to put rows into spaces that are there. What keeps all rows of a space out, so far as the two
 * catalogs tell, becomes a conflict; what may keep some out becomes a note.
 */
export function planData(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  { target: release }: Releases,
): DataPlan {
  planner.leaveOut('all definitions, users, privileges and functions');
  const pairs = pairSpaces(planner, backup, target);
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
  const after = planValues(planner, target, backup.userRows(SystemSpace.SEQUENCE_DATA));
  return { after, notes };
}

const toBigInt = (value: Value | undefined): bigint => BigInt(value as number | bigint);

/**
 * Values for sequences that are there. They, and maybe rows of their own that they count, were there
 * first: none goes back, and none leaves the bounds that it has there, behind which it would give nothing.
 */
export function planValues(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
): Step[] {
  const { sequence, sequenceData } = Field;
  const byId = (spaceId: number): Map<Value | undefined, Value[]> =>
    new Map(target.rows(spaceId).map(({ fields }) => [fields[sequenceData.id], fields]));
  const sequences = byId(SystemSpace.SEQUENCE);
  const current = byId(SystemSpace.SEQUENCE_DATA);
  const moves = ({ fields }: SystemRow): boolean => {
    const id = planner.ids.find('sequence', fields[sequenceData.id]);
    const there = sequences.get(id);
    if (there === undefined) return true; // for the planner to tell that it is not there
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
