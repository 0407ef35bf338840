import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { eventsOf } from '../catalog/event-triggers.js';
import { withoutChecks, withoutLsn } from '../catalog/rows.js';
import { droppedByConfiguration } from '../convert/config-origins.js';
import { isView } from '../describe/describe.js';
import type { Release } from '../server/release.js';
import { BuiltinUser, Field, SystemSpace } from '../server/system-spaces.js';
import { sortFunctions, sortViews } from '../sql/dialect.js';
import { planKept, planSequences } from './data-only.js';
import { withoutTargetMarks } from './marks.js';
import { keysToKept, missingParts } from './missing-parts.js';
import type { PlanOptions } from './options.js';
import { joinParts, type Part } from './step.js';
import type { StepBuilder } from './step-builder.js';

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
  builder: StepBuilder,
  backup: Catalog,
  target: Catalog,
  release: Release,
  options: PlanOptions,
): Parts {
  const { without = {}, only, existing = 'error', revoked = [] } = options;
  const tables = builder.rows(SystemSpace.SPACE, ({ fields }) => !isView(fields));
  const stripped = tables.map(withoutChecks);
  const full = tables.filter((row, i) => row !== stripped[i]);
  const indexes = builder.rows(SystemSpace.INDEX).map(withoutLsn);
  // 2.x requires the index that a foreign key refers to, then the foreign key, then its rows.
  const parents = new Set(
    builder
      .rows(SystemSpace.FK_CONSTRAINT)
      .map(({ fields }) => fields[Field.fkConstraint.parentId]),
  );
  const isEarly = (row: SystemRow): boolean =>
    isPrimary(row) || parents.has(row.fields[Field.index.spaceId]);
  const users = builder.rows(SystemSpace.USER);
  const functions = builder.functions();
  const triggerIds = new Set(
    functions.rows.filter(isTrigger).map(({ fields }) => fields[Field.func.id]),
  );
  const grants = builder.rows(SystemSpace.PRIV);
  const isOnTrigger = ({ fields }: SystemRow): boolean =>
    fields[Field.priv.objectType] === 'function' && triggerIds.has(fields[Field.priv.objectId]);
  const marks = withoutTargetMarks(builder.rows(SystemSpace.SCHEMA), target, existing);
  const views = sortViews(builder.rows(SystemSpace.SPACE, ({ fields }) => isView(fields)));
  const { steps: empty, ...kept } = planKept(builder, backup, target, release, options);
  const isKept = (id: number): boolean => builder.kept.hasSpace(id);
  const first = joinParts([
    {
      conflicts: [...tooManyUsers(target, users), ...builder.takenTriggerNames()],
      omissions: [...functions.omissions, ...marks.omissions],
    },
    only === 'schema' ? { omissions: ['all rows, and the values of sequences'] } : {},
    kept,
    { notes: missingParts(backup, target, builder.ids, isKept) },
    { notes: keysToKept(backup, isKept) },
    { notes: droppedByConfiguration(users, target) },
    without.privileges ? {} : { notes: builder.otherGrants() },
  ]);
  const before = joinParts([
    builder.all(SystemSpace.COLLATION),
    builder.steps(SystemSpace.USER, users),
    builder.steps(SystemSpace.FUNC, sortFunctions(functions.rows.filter((row) => !isTrigger(row)))),
    builder.all(SystemSpace.SEQUENCE),
    builder.steps(SystemSpace.SPACE, stripped),
    builder.steps(SystemSpace.INDEX, indexes.filter(isEarly)),
    builder.all(SystemSpace.FK_CONSTRAINT),
    builder.all(SystemSpace.CK_CONSTRAINT),
    // The server reads the SQL of views and triggers now, so a refusal comes before the rows. Only SQL fires these
    // triggers.
    builder.steps(SystemSpace.SPACE, views),
    builder.all(SystemSpace.TRIGGER),
    // Spaces are emptied only after all other definitions were accepted.
    { steps: empty },
  ]);
  const after = joinParts([
    builder.steps(
      SystemSpace.INDEX,
      indexes.filter((row) => !isEarly(row)),
    ),
    builder.all(SystemSpace.FUNC_INDEX),
    builder.all(SystemSpace.SPACE_SEQUENCE),
    builder.steps(SystemSpace.SPACE, full, 'replace'),
    planSequences(builder, target, builder.rows(SystemSpace.SEQUENCE_DATA), options),
    builder.steps(SystemSpace.SCHEMA, marks.rows, 'replace'),
    { steps: builder.maxIdStep() },
  ]);
  return {
    first,
    before,
    after,
    grants: joinParts([
      builder.steps(
        SystemSpace.PRIV,
        grants.filter((row) => !isOnTrigger(row) && !isToSuper(row)),
        'replace',
      ),
      { steps: without.privileges ? [] : builder.revocations(revoked) },
      builder.steps(SystemSpace.PRIV, grants.filter(isToSuper), 'replace'),
    ]),
    triggers: joinParts([
      builder.steps(SystemSpace.FUNC, functions.rows.filter(isTrigger)),
      builder.steps(SystemSpace.PRIV, grants.filter(isOnTrigger), 'replace'),
    ]),
  };
}
