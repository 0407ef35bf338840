import { quoted } from '../report.js';
import { encode } from '../tuple/codec.js';
import { sequenceOf, spaceOf } from './belongings.js';
import { Catalog, type SystemRow } from './catalog.js';
import { Describer, isView } from './describe.js';
import { sortViews, sqlOf } from './dialect.js';
import { allForeignKeys, foreignKeysOf } from './foreign-keys.js';
import type { Step } from './planner.js';
import { withoutChecks } from './rows.js';
import { identifiersOf } from './sql.js';
import { Field, SYSTEM_ID_MAX, SystemSpace, TRUNCATE_ID } from './system.js';

/** How spaces of the target are dropped, with all that belongs to them. */
export interface DropPlan {
  /** In an order in which the server takes them. */
  steps: Step[];
  /** The target as it is then. */
  remaining: Catalog;
  /** What keeps a space from being dropped, one line each. */
  conflicts: string[];
  /** Grants that go along, and that the backup does not bring again. */
  notes: string[];
}

/** Fields of the primary keys of the system spaces whose rows go. */
const KEYS: ReadonlyMap<number, readonly number[]> = new Map([
  [SystemSpace.SPACE, [Field.space.id]],
  [SystemSpace.SEQUENCE, [Field.sequence.id]],
  [SystemSpace.INDEX, [Field.index.spaceId, Field.index.id]],
  [SystemSpace.PRIV, [Field.priv.grantee, Field.priv.objectType, Field.priv.objectId]],
  [SystemSpace.TRIGGER, [Field.trigger.name]],
  [SystemSpace.SPACE_SEQUENCE, [Field.spaceSequence.spaceId]],
  [SystemSpace.FK_CONSTRAINT, [Field.fkConstraint.name, Field.fkConstraint.childId]],
  [SystemSpace.CK_CONSTRAINT, [Field.ckConstraint.spaceId, Field.ckConstraint.name]],
  [SystemSpace.FUNC_INDEX, [Field.funcIndex.spaceId, Field.funcIndex.indexId]],
]);

const idOf = ({ fields }: SystemRow): number => Number(fields[Field.space.id]);
const nameOf = ({ fields }: SystemRow): string => String(fields[Field.space.name]);

/** What others have that the server does not let go of the space for. */
function holders(target: Catalog, dropped: ReadonlyMap<number, string>): string[] {
  const names = new Map(target.rows(SystemSpace.SPACE).map((row) => [idOf(row), nameOf(row)]));
  const stuck = (name: string, why: string): string =>
    `space ${quoted(name)} cannot be dropped: ${why}`;
  const keys = allForeignKeys(target).flatMap(({ name, childId, parentId }) => {
    const parent = dropped.get(parentId);
    if (parent === undefined || dropped.has(childId)) return [];
    return stuck(
      parent,
      `foreign key ${quoted(name)} of ${quoted(names.get(childId))} refers to it`,
    );
  });
  const views = target.rows(SystemSpace.SPACE).flatMap((row) => {
    if (!isView(row.fields) || dropped.has(idOf(row))) return [];
    const named = identifiersOf(sqlOf(row, Field.space.flags) ?? '');
    return [...dropped.values()]
      .filter((name) => named.has(name))
      .map((name) => stuck(name, `view ${quoted(nameOf(row))} reads it`));
  });
  return [...keys, ...views];
}

/** Sequences that go with the spaces: their own, and those that the backup has by name. */
function droppedSequences(
  backup: Catalog,
  target: Catalog,
  dropped: ReadonlyMap<number, string>,
): Set<number> {
  const { spaceId, sequenceId, generated } = Field.spaceSequence;
  const names = new Set(
    backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => fields[Field.sequence.name]),
  );
  const uses = target.rows(SystemSpace.SPACE_SEQUENCE);
  const used = new Set(
    uses
      .filter(({ fields }) => !dropped.has(Number(fields[spaceId])))
      .map(({ fields }) => fields[sequenceId]),
  );
  const own = new Set(
    uses
      .filter(({ fields }) => dropped.has(Number(fields[spaceId])) && fields[generated] === true)
      .map(({ fields }) => fields[sequenceId]),
  );
  return new Set(
    target
      .rows(SystemSpace.SEQUENCE)
      .map(({ fields }) => fields)
      .filter(({ [Field.sequence.id]: id, [Field.sequence.name]: name }) => {
        return !used.has(id) && (own.has(id) || names.has(name!));
      })
      .map((fields) => Number(fields[Field.sequence.id])),
  );
}

/** Grants on what is dropped that nobody has in the end. */
function lostGrants(
  target: Catalog,
  backup: Catalog,
  regranted: readonly SystemRow[],
  goes: (spaceId: number, row: SystemRow) => boolean,
): string[] {
  const [there, coming] = [new Describer(target, target), new Describer(backup, target)];
  const kept = new Set(regranted.map((row) => coming.row(SystemSpace.PRIV, row)));
  return target
    .rows(SystemSpace.PRIV)
    .filter((row) => goes(SystemSpace.PRIV, row))
    .map((row) => there.row(SystemSpace.PRIV, row))
    .filter((line) => !kept.has(line))
    .map((line) => `${line} is on the target, and goes with what it is on`);
}

/**
 * Plans to drop the spaces and sequences of the target that have the names of the backup's. What else
 * stands on them is a conflict: it would be lost, or the server would stop half-way.
 *
 * Source: `box.schema.space.drop` and `box.schema.sequence.drop` of the server's `src/box/lua/schema.lua`,
 * and what `src/box/alter.cc` wants gone before.
 *
 * @param backup - the user's rows of its system spaces
 * @param target - all rows of the target's system spaces
 * @param regranted - the grants of the backup that will be given
 */
export function planDrop(
  backup: Catalog,
  target: Catalog,
  regranted: readonly SystemRow[],
): DropPlan {
  const names = new Set(backup.spaces.map(({ name }) => name));
  const spaces = target
    .rows(SystemSpace.SPACE)
    .filter((row) => idOf(row) > SYSTEM_ID_MAX && names.has(nameOf(row)));
  const dropped = new Map(spaces.map((row) => [idOf(row), nameOf(row)]));
  const sequences = droppedSequences(backup, target, dropped);
  const goes = (spaceId: number, row: SystemRow): boolean =>
    dropped.has(spaceOf(spaceId, row) ?? -1) || sequences.has(sequenceOf(spaceId, row) ?? -1);
  const remaining = Catalog.of((id) => target.rows(id).filter((row) => !goes(id, row)));

  const describer = new Describer(target, target);
  const remove = (spaceId: number, rows: readonly SystemRow[]): Step[] =>
    rows.map((row) => ({
      spaceId,
      verb: 'delete',
      row: encode((KEYS.get(spaceId) ?? []).map((field) => row.fields[field]!)),
      what: describer.row(spaceId, row),
    }));
  const all = (spaceId: number): Step[] =>
    remove(
      spaceId,
      target.rows(spaceId).filter((row) => goes(spaceId, row)),
    );
  // Both may be there and not be known: how often a space was emptied, and how far a sequence came.
  const counter = (row: SystemRow): Step => ({
    spaceId: TRUNCATE_ID,
    verb: 'delete',
    row: encode([idOf(row)]),
    what: `what is noted of ${describer.row(SystemSpace.SPACE, row)}`,
  });
  const value = (id: number): Step => ({
    spaceId: SystemSpace.SEQUENCE_DATA,
    verb: 'delete',
    row: encode([id]),
    what: `value of ${describer.thing('sequence', id)}`,
  });
  const views = sortViews(spaces.filter(({ fields }) => isView(fields))).reverse();
  const tables = spaces.filter(({ fields }) => !isView(fields));
  const isHeld = ({ fields }: SystemRow): boolean =>
    foreignKeysOf(fields).some(({ childId, parentId }) => childId !== parentId);
  const loosened = tables.filter(isHeld).map(
    (row): Step => ({
      spaceId: SystemSpace.SPACE,
      verb: 'replace',
      row: withoutChecks(row).raw,
      what: `${describer.row(SystemSpace.SPACE, row)}, without its foreign keys`,
    }),
  );
  return {
    steps: [
      ...all(SystemSpace.TRIGGER),
      ...all(SystemSpace.FK_CONSTRAINT),
      ...all(SystemSpace.CK_CONSTRAINT),
      ...all(SystemSpace.PRIV),
      ...remove(SystemSpace.SPACE, views),
      ...loosened,
      ...all(SystemSpace.SPACE_SEQUENCE),
      ...[...sequences].map(value),
      ...all(SystemSpace.SEQUENCE),
      ...all(SystemSpace.FUNC_INDEX),
      // the primary index is the last of its space
      ...all(SystemSpace.INDEX).reverse(),
      ...tables.flatMap((row) => [counter(row), ...remove(SystemSpace.SPACE, [row])]),
    ],
    remaining,
    conflicts: holders(target, dropped),
    notes: lostGrants(target, backup, regranted, goes),
  };
}
