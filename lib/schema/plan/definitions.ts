import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { eventsOf } from '../catalog/event-triggers.js';
import { withoutChecks, withoutLsn } from '../catalog/rows.js';
import { strangersToConfiguration } from '../convert/config-origins.js';
import { isView } from '../describe/describe.js';
import type { Release } from '../server/release.js';
import { BuiltinUser, Field, SystemSpace } from '../server/system-spaces.js';
import { sortFunctions, sortViews } from '../sql/dialect.js';
import { planKept, planSequences } from './data-only.js';
import { withoutTargetMarks } from './marks.js';
import { keysToKept, lackingParts } from './missing-parts.js';
import type { PlanOptions } from './options.js';
import { joinParts, type Part } from './step.js';
import type { Planner } from './step-builder.js';

/** The parts of a plan in the order in which they are shown. */
export interface Parts {
  /** Lines that belong to no step. */
  first: Part;
  before: Part;
  after: Part;
  grants: Part;
  triggers: Part;
}

const NOTHING = joinParts([]);
export const NO_PARTS: Parts = {
  first: NOTHING,
  before: NOTHING,
  after: NOTHING,
  grants: NOTHING,
  triggers: NOTHING,
};

/** The limit of users and roles of a server, `BOX_USER_MAX` of its `src/box/schema_def.h`. */
const MAX_USERS = 32;

/** Returns true for a function that would act on the writes of the restore, and change rows. */
const isTrigger = (row: SystemRow): boolean => eventsOf(row).length > 0;
/**
 * Returns true for a grant to the role `super`. If it loses privileges, the restoring user may need them until then.
 */
const isToSuper = ({ fields }: SystemRow): boolean =>
  fields[Field.priv.grantee] === BuiltinUser.SUPER;
const isPrimary = ({ fields }: SystemRow): boolean => fields[Field.index.id] === 0;

/** Returns a conflict if there are more users and roles than a server takes. */
function tooManyUsers(target: Catalog, users: readonly SystemRow[]): string[] {
  const count = target.rows(SystemSpace.USER).length + users.length;
  if (users.length === 0 || count <= MAX_USERS) return [];
  return [`${count} users and roles exceed the server's limit of ${MAX_USERS}`];
}

/** Plans the definitions of a backup, in the order in which a server accepts them. */
export function planDefinitions(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  release: Release,
  options: PlanOptions,
): Parts {
  const { without = {}, only, existing = 'error', revoked = [] } = options;
  const tables = planner.rows(SystemSpace.SPACE, ({ fields }) => !isView(fields));
  const stripped = tables.map(withoutChecks);
  const full = tables.filter((row, i) => row !== stripped[i]);
  const indexes = planner.rows(SystemSpace.INDEX).map(withoutLsn);
  // 2.x requires the index that a foreign key refers to, then the foreign key, then its rows.
  const parents = new Set(
    planner
      .rows(SystemSpace.FK_CONSTRAINT)
      .map(({ fields }) => fields[Field.fkConstraint.parentId]),
  );
  const isEarly = (row: SystemRow): boolean =>
    isPrimary(row) || parents.has(row.fields[Field.index.spaceId]);
  const users = planner.rows(SystemSpace.USER);
  const functions = planner.functions();
  const triggerIds = new Set(
    functions.rows.filter(isTrigger).map(({ fields }) => fields[Field.func.id]),
  );
  const grants = planner.rows(SystemSpace.PRIV);
  const isOnTrigger = ({ fields }: SystemRow): boolean =>
    fields[Field.priv.objectType] === 'function' && triggerIds.has(fields[Field.priv.objectId]);
  const marks = withoutTargetMarks(planner.rows(SystemSpace.SCHEMA), target, existing);
  const views = sortViews(planner.rows(SystemSpace.SPACE, ({ fields }) => isView(fields)));
  const { steps: empty, ...kept } = planKept(planner, backup, target, release, options);
  const isKept = (id: number): boolean => planner.kept.hasSpace(id);
  const first = joinParts([
    {
      conflicts: [...tooManyUsers(target, users), ...planner.takenTriggerNames()],
      omissions: [...functions.omissions, ...marks.omissions],
    },
    only === 'schema' ? { omissions: ['all rows, and the values of sequences'] } : {},
    kept,
    { notes: lackingParts(backup, target, planner.ids, isKept) },
    { notes: keysToKept(backup, isKept) },
    { notes: strangersToConfiguration(users, target) },
    without.privileges ? {} : { notes: planner.otherGrants() },
  ]);
  const before = joinParts([
    planner.all(SystemSpace.COLLATION),
    planner.steps(SystemSpace.USER, users),
    planner.steps(SystemSpace.FUNC, sortFunctions(functions.rows.filter((row) => !isTrigger(row)))),
    planner.all(SystemSpace.SEQUENCE),
    planner.steps(SystemSpace.SPACE, stripped),
    planner.steps(SystemSpace.INDEX, indexes.filter(isEarly)),
    planner.all(SystemSpace.FK_CONSTRAINT),
    planner.all(SystemSpace.CK_CONSTRAINT),
    // The server reads the SQL of views and triggers now, so a refusal comes before the rows. Only SQL fires these
    // triggers.
    planner.steps(SystemSpace.SPACE, views),
    planner.all(SystemSpace.TRIGGER),
    // Spaces are emptied only after all other definitions were accepted.
    { steps: empty },
  ]);
  const after = joinParts([
    planner.steps(
      SystemSpace.INDEX,
      indexes.filter((row) => !isEarly(row)),
    ),
    planner.all(SystemSpace.FUNC_INDEX),
    planner.all(SystemSpace.SPACE_SEQUENCE),
    planner.steps(SystemSpace.SPACE, full, 'replace'),
    planSequences(planner, target, planner.rows(SystemSpace.SEQUENCE_DATA), options),
    planner.steps(SystemSpace.SCHEMA, marks.rows, 'replace'),
    { steps: planner.maxIdStep() },
  ]);
  return {
    first,
    before,
    after,
    grants: joinParts([
      planner.steps(
        SystemSpace.PRIV,
        grants.filter((row) => !isOnTrigger(row) && !isToSuper(row)),
        'replace',
      ),
      { steps: without.privileges ? [] : planner.revocations(revoked) },
      planner.steps(SystemSpace.PRIV, grants.filter(isToSuper), 'replace'),
    ]),
    triggers: joinParts([
      planner.steps(SystemSpace.FUNC, functions.rows.filter(isTrigger)),
      planner.steps(SystemSpace.PRIV, grants.filter(isOnTrigger), 'replace'),
    ]),
  };
}
