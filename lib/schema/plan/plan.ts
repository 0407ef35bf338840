import type { SequenceValue } from '../../backup/item.js';
import { counted, listOf } from '../../base/report.js';
import { encode, type Value } from '../../tuple/codec.js';
import { atOnce } from '../../tuple/walk.js';
import { Catalog, type SystemRow, spaceNames } from '../catalog/catalog.js';
import type { IdMap } from '../catalog/id-map.js';
import { fitter } from '../catalog/rows.js';
import { withoutOrigins } from '../convert/config-origins.js';
import { convert } from '../convert/convert.js';
import { type Makable, type Unmakable, withoutUnmakable } from '../convert/expressions.js';
import { withSmallTypes } from '../convert/object-types.js';
import { type IgnoredOption, withoutIgnoredOptions } from '../convert/passed-over.js';
import { unsupported } from '../convert/unsupported.js';
import type { Used } from '../describe/used.js';
import { refusedDefinitions } from '../refuse/definitions.js';
import type { Release } from '../server/release.js';
import { BuiltinUser, SystemSpace } from '../server/system-spaces.js';
import { withoutCode } from '../trust/code.js';
import { functionsActingOn } from './active-triggers.js';
import { planData, planSequences } from './data-only.js';
import { NO_PARTS, planDefinitions } from './definitions.js';
import { type Destination, destinationsOf } from './destinations.js';
import { type DropPlan, planDrop } from './drop.js';
import { planExcluded } from './excluded-rows.js';
import { type PlanOptions, SAME_RELEASES, takesAway, unwanted } from './options.js';
import { refusedGrants, withGrantors } from './refused-grants.js';
import { type Rights, rightsOf } from './rights.js';
import { joinParts, type Part, type Step } from './step.js';
import { StepBuilder } from './step-builder.js';

/** The steps before and after the rows, each in order, and everything that the user should know. */
export interface RestorePlan {
  /** Steps that drop objects of the target. They come first. */
  drops: Step[];
  before: Step[];
  after: Step[];
  /** Grants, which come after all definitions: an interrupted restore has granted nothing. */
  grants: Step[];
  /** Functions that are triggers (3.x), and grants on them. They come last, because they would act on the restore. */
  triggers: Step[];
  /** The target's ids of the objects of the backup. */
  ids: IdMap;
  /** The destinations of rows, by the backup's id of their space. Rows of other spaces are left out. */
  destinations: ReadonlyMap<number, Destination>;
  /** Returns the steps for values that follow at the end of the backup, and replace those in it. */
  lateValues(values: readonly SequenceValue[]): LateSteps;
  /** Definitions that the restore creates. */
  made: Catalog;
  /** Objects of the backup that are left out, and the reason, one line each. */
  omissions: string[];
  /** Users, functions and collations that already exist on the target with the same definition. */
  used: Used[];
  /** Rights that need a second look, one line each. */
  rights: Rights;
  /** Things that other users of the target lose by the drops, one line each. */
  losses: string[];
  /** Objects that differ on the target's version or that it cannot have, one line each. */
  notes: string[];
  /** Features that the target's version does not support, one line each. With any of them, nothing may be written. */
  unsupported: string[];
  /** Definitions that the target is certain to refuse, one line each. With any of them, nothing may be written. */
  refused: string[];
  /** Statements that the target must be able to prepare, by the expressions that they test. */
  questions: ReadonlyMap<string, string>;
  /** Conflicts with objects of the target, one line each. With any of them, nothing may be written. */
  conflicts: string[];
  /**
   * Foreign keys whose rows are restored without the rows that they refer to, one line each. With any of them,
   * nothing may be written.
   */
  brokenKeys: string[];
}

/** The steps for values that follow at the end of a backup. */
type LateSteps = Pick<Part, 'steps' | 'omissions'>;

/** Does the same as {@link planInTurns}, at once. */
export function planRestore(
  original: Catalog,
  target: Catalog,
  options: PlanOptions = {},
): RestorePlan {
  return atOnce(planInTurns(original, target, options));
}

/**
 * Plans the steps that a backup requires on a target, in turns. A row is written after everything that it refers to.
 * Anything that is checked on insert or slows it down is written after the rows. If the target uses an id of the
 * backup for a different object, the backup's object gets a new id in all references.
 *
 * @param original - the user's rows of the system spaces, from the archive
 * @param target - all rows of the target's system spaces
 */
export function* planInTurns(
  original: Catalog,
  target: Catalog,
  options: PlanOptions = {},
): Generator<void, RestorePlan> {
  const releases = options.releases ?? SAME_RELEASES;
  const { source, target: release } = releases;
  const { backup: translated, notes } = convert(withSmallTypes(original), source, release);
  yield;
  const known = withoutOrigins(translated, release.server);
  const { backup: understood, hints } = withoutIgnoredOptions(known.backup, target, release.server);
  yield;
  const makable = makableOf(understood, target, release.server, options);
  const converted = makable.backup;
  // Rows get the length that the target's system spaces require.
  const backup = Catalog.of((id) => converted.userRows(id).map(fitter(id, target)));
  const isData = options.only === 'data';
  const drop = planDrops(backup, target, options);
  yield;
  const builder = new StepBuilder(backup, drop.remaining, options);
  const parts = isData
    ? { ...NO_PARTS, after: planData(builder, backup, target, releases, options) }
    : planDefinitions(builder, backup, drop.remaining, release.server, options);
  yield;
  const { ids } = builder;
  const destinations = destinationsOf(backup, drop.remaining, ids, options);
  const excluded = planExcluded(backup, target, drop.remaining, ids, options);
  const acting = actingOn(target, destinations);
  const isRefused = takesAway(options.existing ?? 'error');
  yield;
  const { conflicts, omissions, ...all } = joinParts([
    { conflicts: [...builder.conflicts, ...drop.conflicts] },
    isRefused ? {} : { notes: acting },
    isData
      ? {}
      : { notes: [...notes, ...known.notes], omissions: withoutOnRequest(original, options) },
    isData ? {} : { notes: hintsOf(hints, builder), omissions: linesOf(makable.left, builder) },
    ...Object.values(parts),
    isRefused ? { conflicts: acting } : {},
    // These come last, because the target has them.
    { omissions: builder.keptAsTheyAre() },
    { notes: excluded.notes, omissions: excluded.omissions },
  ]);
  const left = unwanted(options);
  yield;
  const made = Catalog.of((id) =>
    left.has(id) ? [] : converted.userRows(id).filter((row) => !builder.kept.covers(id, row)),
  );
  const lateValues = (values: readonly SequenceValue[]): LateSteps => {
    const rows = values.map(({ id, value }) => systemRow([id, BigInt(value)]));
    const late = planSequences(builder, drop.remaining, rows, options);
    const isNew = (line: string): boolean => !omissions.includes(line);
    return { steps: late.steps, omissions: late.omissions.filter(isNew) };
  };
  const grants = withGrantors(parts, drop.remaining, release.server);
  const steps = [...parts.before.steps, ...parts.after.steps, ...grants.grants, ...grants.triggers];
  yield;
  const refused = isData
    ? []
    : [
        ...refusedDefinitions(backup, target, release.server, (id) => builder.rows(id)),
        ...refusedGrants(steps, drop.remaining, release.server),
      ];
  yield;
  const rights = rightsOf(steps, target, options.restorer ?? BuiltinUser.ADMIN);
  yield;
  return {
    drops: drop.steps,
    before: parts.before.steps,
    after: parts.after.steps,
    grants: grants.grants,
    triggers: grants.triggers,
    refused,
    notes: all.notes,
    lateValues,
    ids,
    destinations,
    losses: [...drop.losses, ...excluded.losses],
    used: builder.used,
    rights,
    omissions,
    made,
    questions: makable.questions,
    unsupported: unsupported(made, source, release),
    conflicts,
    brokenKeys: excluded.brokenKeys,
  };
}

/** Lists functions of the target that are triggers on existing spaces that the restore writes to. */
function actingOn(target: Catalog, destinations: RestorePlan['destinations']): string[] {
  const names = new Set([...destinations.values()].map(({ name }) => name));
  const there = target.spaces.filter(({ name }) => names.has(name));
  return functionsActingOn(target, spaceNames(there));
}

/** Plans the drop of existing objects that the restore recreates. */
function planDrops(backup: Catalog, target: Catalog, options: PlanOptions): DropPlan {
  const { existing, only } = options;
  if (existing !== 'drop' || only === 'data') {
    return { steps: [], remaining: target, conflicts: [], losses: [] };
  }
  const grants = unwanted(options).has(SystemSpace.PRIV) ? [] : backup.userRows(SystemSpace.PRIV);
  return planDrop(backup, target, grants);
}

/** Returns the backup without functions that the target cannot create, or without any code on request. */
function makableOf(
  backup: Catalog,
  target: Catalog,
  release: Release,
  options: PlanOptions,
): Makable {
  const questions = new Map<string, string>();
  if (options.only === 'data') return { backup, left: [], questions };
  return options.without?.functions
    ? { ...withoutCode(backup, target, release), questions }
    : withoutUnmakable(backup, target, release, options.refused);
}

/** Returns a note about indexes that lose a hint. */
function hintsOf(hints: readonly IgnoredOption[], { kept }: StepBuilder): string[] {
  const made = hints.filter(({ spaceId }) => !kept.hasSpace(spaceId)).map(({ what }) => what);
  if (made.length === 0) return [];
  return [`the option 'hint' is left out, because only memtx trees use it: ${listOf(made)}`];
}

/** Returns a line for each object that is left out, except from kept spaces. */
function linesOf(left: readonly Unmakable[], { kept }: StepBuilder): string[] {
  return left
    .filter(({ spaceId }) => spaceId === undefined || !kept.hasSpace(spaceId))
    .map(({ line }) => line);
}

function systemRow(fields: Value[]): SystemRow {
  return { raw: encode(fields), fields };
}

/** Returns a line for each kind of definition that is left out on request. */
function withoutOnRequest(
  original: Catalog,
  { without = {}, revoked = [] }: PlanOptions,
): string[] {
  const count = (spaceId: number): number => original.userRows(spaceId).length;
  const taken =
    revoked.length > 0
      ? ', and the privileges that were revoked from built-in users and roles'
      : '';
  return [
    ...(without.users ? [counted(count(SystemSpace.USER), 'user or role', 'users and roles')] : []),
    ...(without.functions ? [counted(count(SystemSpace.FUNC), 'function')] : []),
    ...(without.privileges ? [`${counted(count(SystemSpace.PRIV), 'grant')}${taken}`] : []),
  ];
}
