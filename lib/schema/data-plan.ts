import { type Catalog, rowlessReason, type SystemRow } from './catalog.js';
import type { Planner, Step } from './planner.js';
import { Field, SystemSpace } from './system.js';

/**
 * Plans to put rows into spaces that are there: what keeps them out becomes a conflict.
 *
 * @returns what is to be done behind the rows
 */
export function planData(planner: Planner, backup: Catalog, target: Catalog): Step[] {
  planner.leaveOut('all definitions, users, privileges and functions');
  const there = new Map(target.spaces.map((space) => [space.id, space]));
  for (const space of backup.spaces) {
    if (rowlessReason(space) !== undefined) continue;
    const namesake = there.get(planner.ids.find('space', space.id) ?? -1);
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (reason !== undefined)
      planner.conflicts.push(`no rows can go into '${space.name}': ${reason}`);
  }
  return planValues(planner, target, backup.userRows(SystemSpace.SEQUENCE_DATA));
}

/** Sequences that exist, and maybe have rows of their own to count, never go back. */
export function planValues(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
): Step[] {
  const { id, step } = Field.sequence;
  const rows = target.rows(SystemSpace.SEQUENCE);
  const steps = new Map(rows.map(({ fields }) => [fields[id], Number(fields[step])]));
  const { value } = Field.sequenceData;
  const current = new Map(
    target
      .rows(SystemSpace.SEQUENCE_DATA)
      .map(({ fields }) => [fields[Field.sequenceData.id], BigInt(fields[value] as number)]),
  );
  const isAhead = ({ fields }: SystemRow): boolean => {
    const targetId = planner.ids.find('sequence', fields[Field.sequenceData.id]);
    const there = current.get(targetId!);
    if (targetId === undefined || there === undefined) return false;
    const wanted = BigInt(fields[value] as number);
    return steps.get(targetId)! > 0 ? there >= wanted : there <= wanted;
  };
  return planner.values(values.filter((row) => !isAhead(row)));
}
