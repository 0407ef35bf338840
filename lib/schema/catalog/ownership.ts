import { Field, SystemSpace } from '../server/system-spaces.js';
import type { SystemRow } from './catalog.js';

/** The field of each system space that names the space that a row belongs to. */
const BELONGS_TO: ReadonlyMap<number, number> = new Map([
  [SystemSpace.SPACE, Field.space.id],
  [SystemSpace.INDEX, Field.index.spaceId],
  [SystemSpace.TRIGGER, Field.trigger.spaceId],
  [SystemSpace.SPACE_SEQUENCE, Field.spaceSequence.spaceId],
  [SystemSpace.FK_CONSTRAINT, Field.fkConstraint.childId],
  [SystemSpace.CK_CONSTRAINT, Field.ckConstraint.spaceId],
  [SystemSpace.FUNC_INDEX, Field.funcIndex.spaceId],
]);

function grantedOn(type: string, { fields }: SystemRow): number | undefined {
  const { objectType, objectId } = Field.priv;
  const id = fields[objectId];
  return fields[objectType] === type && typeof id === 'number' ? id : undefined;
}

/**
 * Returns the id of the space that a row of a system space belongs to: the row defines the space, its indexes,
 * constraints, triggers, the sequence of a field, or a grant on it.
 *
 * @param spaceId - of the system space
 * @returns undefined if the row belongs to no space
 * @example
 * spaceOf(SystemSpace.INDEX, row); // 512
 */
export function spaceOf(spaceId: number, row: SystemRow): number | undefined {
  if (spaceId === SystemSpace.PRIV) return grantedOn('space', row);
  const field = BELONGS_TO.get(spaceId);
  return field === undefined ? undefined : Number(row.fields[field]);
}

/**
 * Returns the id of the sequence that a row of a system space belongs to: the row defines it, its value, or a grant
 * on it.
 */
export function sequenceOf(spaceId: number, row: SystemRow): number | undefined {
  if (spaceId === SystemSpace.PRIV) return grantedOn('sequence', row);
  const isOwn = spaceId === SystemSpace.SEQUENCE || spaceId === SystemSpace.SEQUENCE_DATA;
  return isOwn ? Number(row.fields[Field.sequence.id]) : undefined;
}

/** Returns the id of the function that a row of a system space belongs to: the row defines it, or a grant on it. */
export function functionOf(spaceId: number, row: SystemRow): number | undefined {
  if (spaceId === SystemSpace.PRIV) return grantedOn('function', row);
  return spaceId === SystemSpace.FUNC ? Number(row.fields[Field.func.id]) : undefined;
}

/**
 * Returns the sequences that fill fields of these spaces only.
 *
 * @param rows - of `_space_sequence`
 * @param spaces - their ids
 */
export function sequencesOfOnly(
  rows: readonly SystemRow[],
  spaces: ReadonlySet<number>,
): Set<number> {
  const { spaceId, sequenceId } = Field.spaceSequence;
  const isOfThese = ({ fields }: SystemRow): boolean => spaces.has(Number(fields[spaceId]));
  const idOf = ({ fields }: SystemRow): number => Number(fields[sequenceId]);
  const others = new Set(rows.filter((row) => !isOfThese(row)).map(idOf));
  return new Set(
    rows
      .filter(isOfThese)
      .map(idOf)
      .filter((id) => !others.has(id)),
  );
}
