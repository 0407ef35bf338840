import type { Revocation } from '../archive/manifest.js';
import { encode } from '../tuple/codec.js';
import type { Catalog, SystemRow } from './catalog.js';
import { convertConstraints } from './convert.js';
import { sortViews, toDialect } from './dialect.js';
import type { Release } from './release.js';
import { padded, withoutChecks, withoutLsn } from './rows.js';
import { Field, SystemSpace } from './system.js';

/** One row to be put into a system space of the target. */
export interface Step {
  spaceId: number;
  /** Replace where the target may have such a row by itself. */
  verb: 'insert' | 'replace' | 'delete';
  /** For a delete: the primary key. */
  row: Buffer;
  /** For messages, e.g. `index 'pk' of space 'users'`. */
  what: string;
}

/** What to create before the data, and what after it, each in order. */
export interface RestorePlan {
  before: Step[];
  after: Step[];
  /** Who may do what, when all else is done: a restore that stopped half-way has opened nothing up. */
  grants: Step[];
}

/** Releases of the server that a backup is from, and of the one that it goes to. */
export interface Releases {
  source: Release;
  target: Release;
}

const SAME: Releases = { source: [2, 6], target: [2, 6] };

type Describe = (row: SystemRow) => string;

/** Writes steps for the rows of one archive and one target. */
class Planner {
  readonly #backup: Catalog;
  readonly #target: Catalog;
  readonly #releases: Releases;
  readonly #spaceNames: Map<unknown, string>;

  constructor(backup: Catalog, target: Catalog, releases: Releases) {
    this.#releases = releases;
    this.#backup = backup;
    this.#target = target;
    this.#spaceNames = new Map(backup.spaces.map(({ id, name }) => [id, name]));
  }

  spaceName(id: unknown): string {
    return `'${this.#spaceNames.get(id) ?? id}'`;
  }

  rows(spaceId: number, filter: (row: SystemRow) => boolean = () => true): SystemRow[] {
    return this.#backup.userRows(spaceId).filter(filter);
  }

  /** Rows that the target has to the byte are left out. */
  steps(
    spaceId: number,
    rows: readonly SystemRow[],
    describe: Describe,
    verb: Step['verb'] = 'insert',
  ): Step[] {
    const present = new Set(this.#target.rows(spaceId).map(({ raw }) => raw.toString('latin1')));
    return rows
      .map((row) => {
        const spoken = toDialect(spaceId, row, this.#releases.source, this.#releases.target);
        return { row: padded(spoken, spaceId, this.#target).raw, what: describe(row) };
      })
      .filter(({ row }) => !present.has(row.toString('latin1')))
      .map(({ row, what }) => ({ spaceId, verb, row, what }));
  }

  named(
    spaceId: number,
    what: string,
    nameField: number,
    filter?: (row: SystemRow) => boolean,
  ): Step[] {
    return this.steps(
      spaceId,
      this.rows(spaceId, filter),
      ({ fields }) => `${what} '${fields[nameField]}'`,
    );
  }
}

const isView = ({ fields }: SystemRow): boolean =>
  (fields[Field.space.flags] as Record<string, unknown>)['view'] === true;
/** On 3.x a function can be a trigger, and would change rows as they are loaded. */
const isTrigger = ({ fields }: SystemRow): boolean => {
  const events = fields[Field.func.trigger];
  return Array.isArray(events) && events.length > 0;
};
const isPrimary = ({ fields }: SystemRow): boolean => fields[Field.index.id] === 0;

/**
 * Orders what a backup needs on a target. A row goes in when all that it names is there, and what is
 * checked on insert, or slows it down, goes in after the data.
 *
 * @param original - the user's rows of the system spaces, from the archive
 * @param target - all rows of the target's system spaces
 * @param releases - of the two servers
 * @param revoked - grants that the target ships and the backup's server had not
 */
export function planRestore(
  original: Catalog,
  target: Catalog,
  revoked: readonly Revocation[] = [],
  releases: Releases = SAME,
): RestorePlan {
  const backup = convertConstraints(original, releases.source, releases.target);
  const planner = new Planner(backup, target, releases);
  const describeSpace: Describe = ({ fields }) => `space '${fields[Field.space.name]}'`;
  const describeIndex: Describe = ({ fields }) =>
    `index '${fields[Field.index.name]}' of space ${planner.spaceName(fields[Field.index.spaceId])}`;
  const ofSpace =
    (what: string, idField: number): Describe =>
    ({ fields }) =>
      `${what} of space ${planner.spaceName(fields[idField])}`;

  const functions = (filter: (row: SystemRow) => boolean): Step[] =>
    planner.named(SystemSpace.FUNC, 'function', Field.func.name, filter);

  const tables = planner.rows(SystemSpace.SPACE, (row) => !isView(row));
  const stripped = tables.map(withoutChecks);
  const full = tables.filter((row, i) => row !== stripped[i]);
  const indexes = planner.rows(SystemSpace.INDEX).map(withoutLsn);
  const fkRows = planner.rows(SystemSpace.FK_CONSTRAINT);
  // 2.x wants a foreign key before its rows, and the index that it refers to before the foreign key.
  const parents = new Set(fkRows.map(({ fields }) => fields[Field.fkConstraint.parentId]));
  const isEarly = (row: SystemRow): boolean =>
    isPrimary(row) || parents.has(row.fields[Field.index.spaceId]);
  const ckRows = planner.rows(SystemSpace.CK_CONSTRAINT);
  const links = planner.rows(SystemSpace.SPACE_SEQUENCE);
  const functionLinks = planner.rows(SystemSpace.FUNC_INDEX);

  return {
    before: [
      ...planner.named(SystemSpace.COLLATION, 'collation', Field.collation.name),
      ...planner.named(SystemSpace.USER, 'user or role', Field.user.name),
      ...functions((row) => !isTrigger(row)),
      ...planner.named(SystemSpace.SEQUENCE, 'sequence', Field.sequence.name),
      ...planner.steps(SystemSpace.SPACE, stripped, describeSpace),
      ...planner.steps(SystemSpace.INDEX, indexes.filter(isEarly), describeIndex),
      ...planner.steps(
        SystemSpace.FK_CONSTRAINT,
        fkRows,
        ofSpace('foreign key', Field.fkConstraint.childId),
      ),
      ...planner.steps(
        SystemSpace.CK_CONSTRAINT,
        ckRows,
        ofSpace('check', Field.ckConstraint.spaceId),
      ),
    ],
    after: [
      ...functions(isTrigger),
      ...planner.steps(
        SystemSpace.INDEX,
        indexes.filter((row) => !isEarly(row)),
        describeIndex,
      ),
      ...planner.steps(
        SystemSpace.FUNC_INDEX,
        functionLinks,
        ofSpace('functional index', Field.funcIndex.spaceId),
      ),
      ...planner.steps(
        SystemSpace.SPACE_SEQUENCE,
        links,
        ofSpace('sequence', Field.spaceSequence.spaceId),
      ),
      ...planner.steps(SystemSpace.SPACE, full, describeSpace, 'replace'),
      ...planner.steps(
        SystemSpace.SPACE,
        sortViews(planner.rows(SystemSpace.SPACE, isView)),
        describeSpace,
      ),
      ...planner.named(SystemSpace.TRIGGER, 'trigger', Field.trigger.name),
      ...planner.steps(
        SystemSpace.SEQUENCE_DATA,
        planner.rows(SystemSpace.SEQUENCE_DATA),
        ({ fields }) => `value of sequence ${fields[Field.sequenceData.id]}`,
        'replace',
      ),
      ...planner.steps(
        SystemSpace.SCHEMA,
        planner.rows(SystemSpace.SCHEMA),
        ({ fields }) => `mark ${fields[Field.schema.key]}`,
        'replace',
      ),
      ...maxIdStep(backup, target),
    ],
    grants: [
      ...planner.steps(
        SystemSpace.PRIV,
        planner.rows(SystemSpace.PRIV),
        ({ fields }) => `grant to user ${fields[Field.priv.grantee]}`,
        'replace',
      ),
      ...revocations(revoked, target),
    ],
  };
}

function revocations(revoked: readonly Revocation[], target: Catalog): Step[] {
  const { grantee, objectType, objectId } = Field.priv;
  const isPresent = (grant: Revocation): boolean =>
    target
      .rows(SystemSpace.PRIV)
      .some(
        ({ fields }) =>
          fields[grantee] === grant.grantee &&
          fields[objectType] === grant.objectType &&
          fields[objectId] === grant.objectId,
      );
  return revoked.filter(isPresent).map((grant) => ({
    spaceId: SystemSpace.PRIV,
    verb: 'delete',
    row: encode([grant.grantee, grant.objectType, grant.objectId]),
    what: `what every server grants to user ${grant.grantee} on ${grant.objectType} ${grant.objectId}`,
  }));
}

/** 2.x counts space ids in `_schema`, and cannot create a space below an id that is taken. */
function maxIdStep(backup: Catalog, target: Catalog): Step[] {
  const maxId = target
    .rows(SystemSpace.SCHEMA)
    .find(({ fields }) => fields[Field.schema.key] === 'max_id');
  const largest = Math.max(0, ...backup.spaces.map(({ id }) => id));
  if (maxId === undefined || Number(maxId.fields[Field.schema.value]) >= largest) return [];
  const row = encode(['max_id', largest]);
  return [{ spaceId: SystemSpace.SCHEMA, verb: 'replace', row, what: 'the largest space id' }];
}
