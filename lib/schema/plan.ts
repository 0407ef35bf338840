import type { SequenceValue } from '../archive/items.js';
import type { Revocation } from '../archive/manifest.js';
import { encode, type Value } from '../tuple/codec.js';
import { Catalog, rowlessReason, type SystemRow } from './catalog.js';
import { convert } from './convert.js';
import { codeOf, Describer, isView } from './describe.js';
import { sortViews } from './dialect.js';
import { unsupported } from './features.js';
import { identify } from './identify.js';
import { type IdMap, KINDS, type Kind } from './ids.js';
import { withTargetIds } from './references.js';
import type { Release } from './release.js';
import { fitter, withoutChecks, withoutLsn } from './rows.js';
import { BuiltinUser, Field, SYSTEM_SPACES, SystemSpace } from './system.js';

/** One row to be put into a system space of the target. */
export interface Step {
  spaceId: number;
  /** Replace where the target may have such a row by itself. */
  verb: 'insert' | 'replace' | 'delete';
  /** For a delete: the primary key. */
  row: Buffer;
  /** For messages, e.g. `index 'pk' of space 'users'`. */
  what: string;
  /** Lua or SQL that comes with it. */
  code?: string;
}

/** What to create before the data, and what after it, each in order. */
export interface RestorePlan {
  before: Step[];
  after: Step[];
  /** Who may do what, when all else is done: a restore that stopped half-way has opened nothing up. */
  grants: Step[];
  /** Where rows go: the target's ids of the backup's spaces. */
  ids: IdMap;
  /** For values that come with the end of the backup, in the place of those in it. */
  sequenceSteps(values: readonly SequenceValue[]): Step[];
  /** What of the backup does not come along, and why, one line each. */
  leftOut: string[];
  /** What the target's version takes for something else, or cannot have, and what became of it. */
  notes: string[];
  /** What the target's version cannot hold, one line each: with any of it, nothing may be written. */
  unsupported: string[];
  /** What keeps the backup out of the target, one line each: with any of them, nothing may be written. */
  conflicts: string[];
}

/** Releases of the server that a backup is from, and of the one that it goes to. */
export interface Releases {
  source: Release;
  target: Release;
}

export interface PlanOptions {
  releases?: Releases;
  /** Grants that every server ships and the backup's server had not. */
  revoked?: readonly Revocation[];
  /** Id on the target of the user who restores. */
  restorer?: number;
  /** Kinds of definitions that stay away, even if that costs what depends on them. */
  without?: { users?: boolean; privileges?: boolean; functions?: boolean } | undefined;
  /** `schema`: definitions and no rows; `data`: rows, into spaces that are there by name. */
  only?: 'schema' | 'data' | undefined;
}

const SAME: Releases = { source: [2, 6], target: [2, 6] };

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The user's rows as long as the target's system spaces want them. */
function fitted(backup: Catalog, target: Catalog): Catalog {
  const catalog = new Catalog();
  for (const spaceId of SYSTEM_SPACES) {
    const fitTo = fitter(spaceId, target);
    for (const row of backup.userRows(spaceId)) catalog.addRow(spaceId, fitTo(row));
  }
  return catalog;
}

/** Definitions that stay away on request. */
function unwanted({ without = {}, only }: PlanOptions): ReadonlySet<number> {
  if (only === 'data') return new Set(SYSTEM_SPACES);
  return new Set([
    ...(without.users ? [SystemSpace.USER] : []),
    ...(without.functions ? [SystemSpace.FUNC] : []),
    ...(without.privileges ? [SystemSpace.PRIV] : []),
  ]);
}

function withoutSpaces(backup: Catalog, left: ReadonlySet<number>): Catalog {
  const catalog = new Catalog();
  for (const spaceId of SYSTEM_SPACES) {
    if (left.has(spaceId)) continue;
    for (const row of backup.userRows(spaceId)) catalog.addRow(spaceId, row);
  }
  return catalog;
}

/** A server has so many users and roles at most, `BOX_USER_MAX` of its `src/box/schema_def.h`. */
const MAX_USERS = 32;

/** On 3.x a function can be a trigger, and would change rows as they are loaded. */
const isTrigger = ({ fields }: SystemRow): boolean => {
  const events = fields[Field.func.trigger];
  return Array.isArray(events) && events.length > 0;
};
const isPrimary = ({ fields }: SystemRow): boolean => fields[Field.index.id] === 0;

/** Writes steps for the rows of one backup and one target. */
class Planner {
  readonly ids: IdMap;
  readonly conflicts: string[];
  readonly #backup: Catalog;
  readonly #target: Catalog;
  readonly #describer: Describer;
  readonly #without: ReadonlySet<number>;
  readonly #present: ReadonlySet<SystemRow>;
  readonly #leftOut = new Set<string>();
  readonly #only: PlanOptions['only'];

  constructor(backup: Catalog, target: Catalog, options: PlanOptions) {
    const { without = {}, only, restorer = BuiltinUser.ADMIN } = options;
    this.#backup = backup;
    this.#target = target;
    this.#only = only;
    this.#describer = new Describer(backup, target);
    this.#without = unwanted(options);
    const made = KINDS.filter(
      (kind) =>
        only !== 'data' &&
        !(kind === 'user' && without.users) &&
        !(kind === 'function' && without.functions),
    );
    const { ids, present, conflicts } = identify(backup, target, new Set<Kind>(made), restorer);
    this.ids = ids;
    this.conflicts = conflicts;
    this.#present = present;
  }

  get leftOut(): string[] {
    return [...this.#leftOut];
  }

  leaveOut(line: string): void {
    this.#leftOut.add(line);
  }

  rows(spaceId: number, filter: (row: SystemRow) => boolean = () => true): SystemRow[] {
    if (this.#without.has(spaceId)) return [];
    return this.#backup
      .userRows(spaceId)
      .filter((row) => filter(row) && !this.#isPresent(spaceId, row));
  }

  /** False, and said, for a function that runs as somebody whom the target has not. */
  hasOwner(row: SystemRow): boolean {
    if (this.ids.find('function', row.fields[Field.func.id]) !== undefined) return true;
    const what = this.#describer.row(SystemSpace.FUNC, row);
    this.leaveOut(`${what}: it would run as somebody else, for its owner is not on the target`);
    return false;
  }

  #isPresent(spaceId: number, row: SystemRow): boolean {
    if (!this.#present.has(row)) return false;
    this.leaveOut(`${this.#describer.row(spaceId, row)}: the target has it already`);
    return true;
  }

  /** Rows that the target has to the byte are no steps. */
  steps(spaceId: number, rows: readonly SystemRow[], verb: Step['verb'] = 'insert'): Step[] {
    const there = new Set(this.#target.rows(spaceId).map(({ raw }) => raw.toString('latin1')));
    const steps: Step[] = [];
    for (const row of rows) {
      const what = this.#describer.row(spaceId, row);
      const mapped = withTargetIds(spaceId, row, this.ids, (lost) =>
        this.leaveOut(`${what}: ${lost}`),
      );
      if (mapped === undefined || there.has(mapped.raw.toString('latin1'))) continue;
      const code = codeOf(spaceId, mapped);
      steps.push({ spaceId, verb, row: mapped.raw, what, ...(code === undefined ? {} : { code }) });
    }
    return steps;
  }

  all(spaceId: number, verb?: Step['verb']): Step[] {
    return this.steps(spaceId, this.rows(spaceId), verb);
  }

  /** Sequences that exist, and maybe have rows of their own to count, never go back. */
  values(rows: readonly SystemRow[]): Step[] {
    if (this.#only === 'schema') return [];
    const isAhead = this.#only === 'data' ? this.#isAhead() : () => false;
    return this.steps(
      SystemSpace.SEQUENCE_DATA,
      rows.filter((row) => !isAhead(row)),
      'replace',
    );
  }

  #isAhead(): (row: SystemRow) => boolean {
    const { id, step } = Field.sequence;
    const rows = this.#target.rows(SystemSpace.SEQUENCE);
    const steps = new Map(rows.map(({ fields }) => [fields[id], Number(fields[step])]));
    const { value } = Field.sequenceData;
    const values = new Map(
      this.#target
        .rows(SystemSpace.SEQUENCE_DATA)
        .map(({ fields }) => [fields[Field.sequenceData.id], BigInt(fields[value] as number)]),
    );
    return ({ fields }) => {
      const targetId = this.ids.find('sequence', fields[Field.sequenceData.id]);
      const there = values.get(targetId!);
      if (targetId === undefined || there === undefined) return false;
      const wanted = BigInt(fields[value] as number);
      return steps.get(targetId)! > 0 ? there >= wanted : there <= wanted;
    };
  }

  revocations(revoked: readonly Revocation[]): Step[] {
    const { grantee, objectType, objectId } = Field.priv;
    const key = (...parts: unknown[]): string => JSON.stringify(parts);
    const there = new Set(
      this.#target
        .rows(SystemSpace.PRIV)
        .map(({ fields }) => key(fields[grantee], fields[objectType], fields[objectId])),
    );
    return revoked
      .filter((grant) => there.has(key(grant.grantee, grant.objectType, grant.objectId)))
      .map((grant) => ({
        spaceId: SystemSpace.PRIV,
        verb: 'delete',
        row: encode([grant.grantee, grant.objectType, grant.objectId]),
        what: this.#describer.shippedGrant(grant),
      }));
  }

  /** 2.x counts space ids in `_schema`, and cannot create a space below an id that is taken. */
  maxIdStep(): Step[] {
    const maxId = this.#target
      .rows(SystemSpace.SCHEMA)
      .find(({ fields }) => fields[Field.schema.key] === 'max_id');
    let largest = 0;
    for (const { id } of this.#backup.spaces) {
      largest = Math.max(largest, this.ids.find('space', id) ?? 0);
    }
    if (maxId === undefined || Number(maxId.fields[Field.schema.value]) >= largest) return [];
    const row = encode(['max_id', largest]);
    return [{ spaceId: SystemSpace.SCHEMA, verb: 'replace', row, what: 'the largest space id' }];
  }
}

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
  const { source, target: release } = options.releases ?? SAME;
  const { backup: converted, notes } = convert(original, source, release);
  const wanted = withoutSpaces(converted, unwanted(options));
  const backup = fitted(converted, target);
  const planner = new Planner(backup, target, options);
  const steps =
    options.only === 'data'
      ? planData(planner, backup, target)
      : planDefinitions(planner, backup, target, options);
  const { ids, leftOut, conflicts } = planner;
  const sequenceSteps = (values: readonly SequenceValue[]): Step[] =>
    planner.values(values.map(({ id, value }) => systemRow([id, BigInt(value)])));
  return {
    ...steps,
    sequenceSteps,
    ids,
    leftOut,
    notes: options.only === 'data' ? [] : notes,
    unsupported: unsupported(wanted, source, release),
    conflicts,
  };
}

type Steps = Pick<RestorePlan, 'before' | 'after' | 'grants'>;

function systemRow(fields: Value[]): SystemRow {
  return { raw: encode(fields), fields };
}

function planData(planner: Planner, backup: Catalog, target: Catalog): Steps {
  planner.leaveOut('all definitions, users, privileges and functions');
  const there = new Map(target.spaces.map((space) => [space.id, space]));
  for (const space of backup.spaces) {
    if (rowlessReason(space) !== undefined) continue;
    const namesake = there.get(planner.ids.find('space', space.id) ?? -1);
    const reason = namesake === undefined ? 'it does not exist' : rowlessReason(namesake);
    if (reason !== undefined)
      planner.conflicts.push(`no rows can go into '${space.name}': ${reason}`);
  }
  const after = planner.values(backup.userRows(SystemSpace.SEQUENCE_DATA));
  return { before: [], after, grants: [] };
}

function planDefinitions(
  planner: Planner,
  backup: Catalog,
  target: Catalog,
  { without = {}, only, revoked = [] }: PlanOptions,
): Steps {
  const count = (spaceId: number): number => backup.userRows(spaceId).length;
  if (without.users)
    planner.leaveOut(counted(count(SystemSpace.USER), 'user or role', 'users and roles'));
  if (without.functions) planner.leaveOut(counted(count(SystemSpace.FUNC), 'function'));
  if (without.privileges) planner.leaveOut(counted(count(SystemSpace.PRIV), 'grant'));

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
  const functions = planner.rows(SystemSpace.FUNC, (row) => planner.hasOwner(row));
  const views = sortViews(planner.rows(SystemSpace.SPACE, ({ fields }) => isView(fields)));

  if (only === 'schema') planner.leaveOut('all rows, and the values of sequences');
  return {
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
    ],
    after: [
      ...planner.steps(SystemSpace.FUNC, functions.filter(isTrigger)),
      ...planner.steps(
        SystemSpace.INDEX,
        indexes.filter((row) => !isEarly(row)),
      ),
      ...planner.all(SystemSpace.FUNC_INDEX),
      ...planner.all(SystemSpace.SPACE_SEQUENCE),
      ...planner.steps(SystemSpace.SPACE, full, 'replace'),
      ...planner.values(planner.rows(SystemSpace.SEQUENCE_DATA)),
      ...planner.all(SystemSpace.SCHEMA, 'replace'),
      ...planner.maxIdStep(),
    ],
    grants: [
      ...planner.all(SystemSpace.PRIV, 'replace'),
      ...(without.privileges ? [] : planner.revocations(revoked)),
    ],
  };
}
