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
import { incompatibilityOf } from './row-compatibility.js';
import { joinParts, type Part, type Step } from './step.js';
import type { StepBuilder } from './step-builder.js';

/** Lists foreign keys that rows could violate: the order of an archive's rows is not known before they are read. */
function unorderedKeys({ fields }: SpaceRows, filled: ReadonlyMap<number, string>): string[] {
  return foreignKeysOf(fields).flatMap(({ name, childId, parentId }) => {
    const parent = parentId === childId ? 'itself' : `'${filled.get(parentId)}'`;
    return filled.has(parentId)
      ? `its foreign key '${name}' refers to ${parent}, and rows may be loaded before the rows that they refer to`
      : [];
  });
}

/** Spaces of the target that get rows, by the spaces of the backup. */
interface Pairs extends Pick<Part, 'conflicts'> {
  pairs: ReadonlyMap<Space, Space>;
}

/**
 * Finds the spaces of the target that get rows. A space that cannot hold rows is a conflict.
 *
 * @param isAll - true if a space that does not exist on the target is also a conflict
 */
function pairSpaces(
  builder: StepBuilder,
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
    const namesake = there.get(builder.ids.find('space', space.id) ?? -1);
    if (namesake === undefined && !isAll) continue;
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (namesake !== undefined && reason === undefined) pairs.set(space, namesake);
    else conflicts.push(`rows cannot be loaded into '${space.name}': ${reason}`);
  }
  return { pairs, conflicts };
}

/**
 * Compares the spaces of a backup with those of the target that get their rows. A reason that keeps out all rows of a
 * space, as far as the two catalogs tell, is a conflict. A reason that keeps out some rows is a note.
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
    const { never, maybe } = incompatibilityOf(from.get(id)!, there, hasDefaults);
    for (const reason of [...never, ...unorderedKeys(there, filled)]) {
      conflicts.push(`rows cannot be loaded into '${name}': ${reason}`);
    }
    if (maybe.length > 0) notes.push(`some rows may be refused by '${name}': ${listOf(maybe)}`);
  }
  return { conflicts, notes };
}

/**
 * Lists the foreign keys that prevent truncation: the server refuses it if other spaces with rows refer to the space.
 * For foreign keys of SQL on 2.6 it does not.
 */
function referencesFromOthers(target: Catalog, emptied: ReadonlyMap<number, string>): string[] {
  const spaces = target.rows(SystemSpace.SPACE);
  const names = new Map(spaces.map((row) => [spaceIdOf(row), spaceNameOf(row)]));
  const keys = spaces.flatMap(({ fields }) => foreignKeysOf(fields));
  return holdingKeys(keys, emptied).map(({ name, childId, parentId }) => {
    const [child, parent] = [quoted(names.get(childId)), quoted(emptied.get(parentId))];
    return `space ${parent} cannot be emptied: foreign key ${quoted(name)} of ${child} refers to it`;
  });
}

/** Plans the load of rows into existing spaces with the names of the backup's. Returns the steps before the rows. */
export function planKept(
  builder: StepBuilder,
  backup: Catalog,
  target: Catalog,
  release: Release,
  { existing = 'error', excluded }: PlanOptions,
): Part {
  if (!takesRows(existing)) return joinParts([]);
  const { pairs, conflicts } = pairSpaces(builder, backup, target, false, excluded);
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

/** Plans the load of rows alone into existing spaces. Returns the steps after the rows. */
export function planData(
  builder: StepBuilder,
  backup: Catalog,
  target: Catalog,
  { target: release }: Releases,
  { excluded }: PlanOptions,
): Part {
  const { pairs, conflicts } = pairSpaces(builder, backup, target, true, excluded);
  return joinParts([
    { conflicts, omissions: ['all definitions, users, privileges and functions'] },
    fitRows(pairs, backup, target, release.server),
    planValues(builder, target, backup.userRows(SystemSpace.SEQUENCE_DATA)),
  ]);
}

const toBigInt = (value: Value | undefined): bigint => BigInt(value as number | bigint);

/**
 * Plans values of existing sequences. These may already have numbered rows of the target: a value never goes back,
 * and never leaves the bounds on the target, because the sequence would then be exhausted.
 *
 * @param isMoved - returns false for existing sequences that keep their value
 */
function planValues(
  builder: StepBuilder,
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
    const id = builder.ids.find('sequence', fields[sequenceData.id]);
    const there = sequences.get(id);
    if (there === undefined) return true; // It is new, or the builder reports that it is missing.
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
  return joinParts([{ omissions }, builder.values(moved)]);
}

/** Plans the values of sequences. An existing sequence that is kept has a value of its own, which never goes back. */
export function planSequences(
  builder: StepBuilder,
  target: Catalog,
  values: readonly SystemRow[],
  { only, existing = 'error' }: PlanOptions,
): Part {
  const wanted = values.filter((row) => !builder.kept.covers(SystemSpace.SEQUENCE_DATA, row));
  if (only !== 'data' && !isUsed(existing)) return builder.values(wanted);
  return planValues(
    builder,
    target,
    wanted,
    (id) => existing !== 'skip' || builder.kept.isNeeded(id),
  );
}
