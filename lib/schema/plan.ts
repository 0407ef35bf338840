import type { SequenceValue } from '../archive/items.js';
import { encode, type Value } from '../tuple/codec.js';
import { functionsActingOn } from './acting.js';
import { Catalog, type SystemRow } from './catalog.js';
import { convert } from './convert.js';
import { planData, planKept, planValues } from './data-plan.js';
import { isView } from './describe.js';
import { type Destination, destinationsOf } from './destinations.js';
import { sortViews } from './dialect.js';
import { type DropPlan, planDrop } from './drop.js';
import { eventsOf } from './events.js';
import { isUsed, takesAway } from './existing.js';
import { unsupported } from './features.js';
import type { IdMap } from './ids.js';
import { keysToKept, lackingParts } from './lacking.js';
import { Planner, type PlanOptions, type Releases, type Step, unwanted } from './planner.js';
import { type Release, versionsOf } from './release.js';
import { fitter, withoutChecks, withoutLsn } from './rows.js';
import { BuiltinUser, Field, SystemSpace } from './system.js';

/** What to create before the data, and what after it, each in order. */
export interface RestorePlan {
  /** What of the target goes, the very first. */
  drops: Step[];
  before: Step[];
  after: Step[];
  /** Who may do what, when all else is done: a restore that stopped half-way has opened nothing up. */
  grants: Step[];
  /** Functions that act by themselves (3.x), and who may call them: the very last, or they would act on it. */
  triggers: Step[];
  /** The target's ids of what the backup has. */
  ids: IdMap;
  /** Where rows go, by the backup's id of their space: those of others stay away. */
  destinations: ReadonlyMap<number, Destination>;
  /** For values that come with the end of the backup, in the place of those in it. */
  lateValues(values: readonly SequenceValue[]): LateSteps;
  /** Definitions that the target is to have from the backup. */
  made: Catalog;
  /** What of the backup does not come along, and why, one line each. */
  leftOut: string[];
  /** What others on the target lose by the drops, one line each. */
  losses: string[];
  /** What the target's version takes for something else, or cannot have, and what became of it. */
  notes: string[];
  /** What the target's version cannot hold, one line each: with any of it, nothing may be written. */
  unsupported: string[];
  /** What keeps the backup out of the target, one line each: with any of them, nothing may be written. */
  conflicts: string[];
}

/** What only the end of a backup tells. */
export interface LateSteps extends Pick<RestorePlan, 'leftOut'> {
  steps: Step[];
}

const SAME: Releases = { source: versionsOf('2.6.0'), target: versionsOf('2.6.0') };

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A server has so many users and roles at most, `BOX_USER_MAX` of its `src/box/schema_def.h`. */
const MAX_USERS = 32;

/** It would act on what the restore does, and change rows. */
const isTrigger = (row: SystemRow): boolean => eventsOf(row).length > 0;
/** Should it shrink, who restores may need it up to then. */
const isToSuper = ({ fields }: SystemRow): boolean =>
  fields[Field.priv.grantee] === BuiltinUser.SUPER;
const isPrimary = ({ fields }: SystemRow): boolean => fields[Field.index.id] === 0;

/**
 * Orders what a backup needs on a target. A row goes in when all that it names is there, and what is
 * checked on insert, or slows it down, goes in after the data. Where the target uses an id of the
 * backup's for something else, the backup's gets another, everywhere.
 *
 * @param original - the user's rows of the system spaces, from the archive
 * @param target - all rows of the target's system spaces
 */
export function planRestore(
  original: Catalog,
  target: Catalog,
  options: PlanOptions = {},
): RestorePlan {
  const releases = options.releases ?? SAME;
  const { source, target: release } = releases;
  const { backup: converted, notes } = convert(original, source, release);
  // As long as the target's system spaces want them.
  const backup = Catalog.of((id) => converted.userRows(id).map(fitter(id, target)));
  const isData = options.only === 'data';
  const drop = planDrops(backup, target, options);
  const planner = new Planner(backup, drop.remaining, options);
  planner.conflicts.push(...drop.conflicts);
  if (!isData) sayWithout(planner, original, options);
  const steps = isData
    ? { before: [], grants: [], triggers: [], ...planData(planner, backup, target, releases) }
    : planDefinitions(planner, backup, drop.remaining, releases.target.server, options);
  const { ids, leftOut, conflicts } = planner;
  const destinations = destinationsOf(backup, drop.remaining, ids, options);
  const acting = actingOn(target, destinations);
  const isRefused = takesAway(options.existing ?? 'error');
  if (isRefused) conflicts.push(...acting);
  const left = unwanted(options);
  const made = Catalog.of((id) =>
    left.has(id) ? [] : converted.userRows(id).filter((row) => !planner.kept.covers(id, row)),
  );
  const lateValues = (values: readonly SequenceValue[]): LateSteps => {
    const rows = values.map(({ id, value }) => systemRow([id, BigInt(value)]));
    const late = planSequences(planner, drop.remaining, rows, options);
    return { steps: late, leftOut: planner.leftOut.slice(leftOut.length) };
  };
  return {
    drops: drop.steps,
    ...steps,
    notes: [
      ...(isRefused ? [] : acting),
      ...(isData ? [] : notes),
      ...steps.notes,
      ...planner.notes,
    ],
    lateValues,
    ids,
    destinations,
    losses: drop.losses,
    leftOut,
    made,
    unsupported: unsupported(made, source, release),
    conflicts,
  };
}

type Steps = Pick<RestorePlan, 'before' | 'after' | 'grants' | 'triggers' | 'notes'>;

/** Functions of the target that would act on what the restore does with spaces that are there. */
function actingOn(target: Catalog, destinations: RestorePlan['destinations']): string[] {
  const names = new Set([...destinations.values()].map(({ name }) => name));
  const there = target.spaces.filter(({ name }) => names.has(name));
  return functionsActingOn(target, new Map(there.map(({ id, name }) => [id, name])));
}

/** What is there already, and is to be made as the backup has it. */
function planDrops(backup: Catalog, target: Catalog, options: PlanOptions): DropPlan {
  const { existing, only } = options;
  if (existing !== 'drop' || only === 'data') {
    return { steps: [], remaining: target, conflicts: [], losses: [] };
  }
  const grants = unwanted(options).has(SystemSpace.PRIV) ? [] : backup.userRows(SystemSpace.PRIV);
  return planDrop(backup, target, grants);
}

/** Sequences that are there and stay have a value of their own, which does not go back. */
function planSequences(
  planner: Planner,
  target: Catalog,
  values: readonly SystemRow[],
  { only, existing = 'error' }: PlanOptions,
): Step[] {
  const wanted = values.filter((row) => !planner.kept.covers(SystemSpace.SEQUENCE_DATA, row));
  if (only !== 'data' && !isUsed(existing)) return planner.values(wanted);
  return planValues(
    planner,
    target,
    wanted,
    (id) => existing !== 'skip' || planner.kept.isNeeded(id),
  );
}

function systemRow(fields: Value[]): SystemRow {
  return { raw: encode(fields), fields };
}

/** Says what stays away on request. */
function sayWithout(
  planner: Planner,
  original: Catalog,
  { without = {}, revoked = [] }: PlanOptions,
): void {
  const count = (spaceId: number): number => original.userRows(spaceId).length;
  if (without.users)
    planner.leaveOut(counted(count(SystemSpace.USER), 'user or role', 'users and roles'));
  if (without.functions) planner.leaveOut(counted(count(SystemSpace.FUNC), 'function'));
  if (without.privileges) {
    const taken =
      revoked.length > 0 ? ', and what was taken away from built-in users and roles' : '';
    planner.leaveOut(`${counted(count(SystemSpace.PRIV), 'grant')}${taken}`);
  }
}

function planDefinitions(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  release: Release,
  options: PlanOptions,
): Steps {
  const { without = {}, only, existing = 'error', revoked = [] } = options;
  const tables = planner.rows(SystemSpace.SPACE, ({ fields }) => !isView(fields));
  const stripped = tables.map(withoutChecks);
  const full = tables.filter((row, i) => row !== stripped[i]);
  const indexes = planner.rows(SystemSpace.INDEX).map(withoutLsn);
  // 2.x wants a foreign key before its rows, and the index that it refers to before the foreign key.
  const parents = new Set(
    planner
      .rows(SystemSpace.FK_CONSTRAINT)
      .map(({ fields }) => fields[Field.fkConstraint.parentId]),
  );
  const isEarly = (row: SystemRow): boolean =>
    isPrimary(row) || parents.has(row.fields[Field.index.spaceId]);
  const users = planner.all(SystemSpace.USER);
  const userCount = target.rows(SystemSpace.USER).length + users.length;
  if (users.length > 0 && userCount > MAX_USERS) {
    planner.conflicts.push(
      `${userCount} users and roles are more than the ${MAX_USERS} that a server takes`,
    );
  }
  const functions = planner.functions();
  const triggerIds = new Set(
    functions.filter(isTrigger).map(({ fields }) => fields[Field.func.id]),
  );
  const grants = planner.rows(SystemSpace.PRIV);
  const isOnTrigger = ({ fields }: SystemRow): boolean =>
    fields[Field.priv.objectType] === 'function' && triggerIds.has(fields[Field.priv.objectId]);
  planner.checkTriggerNames();
  if (!without.privileges) planner.noteOtherGrants();
  const views = sortViews(planner.rows(SystemSpace.SPACE, ({ fields }) => isView(fields)));

  if (only === 'schema') planner.leaveOut('all rows, and the values of sequences');
  const { empty, notes } = planKept(planner, backup, target, release, existing);
  const isKept = (id: number): boolean => planner.kept.hasSpace(id);
  notes.push(...lackingParts(backup, target, planner.ids, isKept), ...keysToKept(backup, isKept));
  const values = planner.rows(SystemSpace.SEQUENCE_DATA);
  return {
    notes,
    before: [
      ...planner.all(SystemSpace.COLLATION),
      ...users,
      ...planner.steps(
        SystemSpace.FUNC,
        functions.filter((row) => !isTrigger(row)),
      ),
      ...planner.all(SystemSpace.SEQUENCE),
      ...planner.steps(SystemSpace.SPACE, stripped),
      ...planner.steps(SystemSpace.INDEX, indexes.filter(isEarly)),
      ...planner.all(SystemSpace.FK_CONSTRAINT),
      ...planner.all(SystemSpace.CK_CONSTRAINT),
      // The server reads their SQL now: what it refuses is known before the data. Only SQL fires them.
      ...planner.steps(SystemSpace.SPACE, views),
      ...planner.all(SystemSpace.TRIGGER),
      // Not before all else was taken.
      ...empty,
    ],
    after: [
      ...planner.steps(
        SystemSpace.INDEX,
        indexes.filter((row) => !isEarly(row)),
      ),
      ...planner.all(SystemSpace.FUNC_INDEX),
      ...planner.all(SystemSpace.SPACE_SEQUENCE),
      ...planner.steps(SystemSpace.SPACE, full, 'replace'),
      ...planSequences(planner, target, values, options),
      ...planner.all(SystemSpace.SCHEMA, 'replace'),
      ...planner.maxIdStep(),
    ],
    grants: [
      ...planner.steps(
        SystemSpace.PRIV,
        grants.filter((row) => !isOnTrigger(row) && !isToSuper(row)),
        'replace',
      ),
      ...(without.privileges ? [] : planner.revocations(revoked)),
      ...planner.steps(SystemSpace.PRIV, grants.filter(isToSuper), 'replace'),
    ],
    triggers: [
      ...planner.steps(SystemSpace.FUNC, functions.filter(isTrigger)),
      ...planner.steps(SystemSpace.PRIV, grants.filter(isOnTrigger), 'replace'),
    ],
  };
}
