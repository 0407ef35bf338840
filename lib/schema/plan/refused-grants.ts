import { decode, encode, type Value } from '../../tuple/codec.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import type { Catalog } from '../catalog/catalog.js';
import { isKnownTo, OBJECT_TYPES } from '../server/capabilities.js';
import { isOlder, type Release } from '../server/release.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../server/system-spaces.js';
import { ACCESS_BITS, Memberships } from '../trust/memberships.js';
import { isWrite, type Part, type Step, type WriteStep } from './step.js';

/**
 * Finds grants that a server is certain to refuse at the end of a restore, where grants come.
 *
 * Source: `priv_def_create_from_tuple()` and `priv_def_check()` of the server's `src/box/alter.cc`, `role_check()` of
 * `src/box/user.cc`.
 */

/** Types of objects that are granted by number. */
const NUMBERED = new Set(['space', 'function', 'user', 'role', 'sequence', 'collation']);

/** Returns the reason why a server refuses a grant, as far as its own row tells. */
function problemOf(
  fields: readonly Value[],
  types: ReadonlyMap<number, Value>,
  release: Release,
): string | undefined {
  const { objectType, objectId, bits } = Field.priv;
  const type = String(fields[objectType]).toLowerCase();
  const id = fields[objectId];
  if (!isKnownTo(release, OBJECT_TYPES, type)) {
    return 'servers do not know this type of object';
  }
  if (NUMBERED.has(type) && typeof id === 'string' && id !== '') {
    return `the id of a ${type} must be a number`;
  }
  if ((Number(fields[bits]) & ACCESS_BITS) === 0) return 'it grants no privilege that servers know';
  if ((type === 'role' || type === 'user') && typeof id === 'number' && types.get(id) !== type) {
    return `its object is not a ${type}`;
  }
  return undefined;
}

/**
 * Lists grants that the target refuses, one line each.
 *
 * @param steps - with the ids of the target, in the order of the restore
 * @param target - its system spaces at that time, without what is dropped
 * @example
 * refusedGrants(steps, target, [2, 6]);
 * // ["grant of role 'a' to role 'b': roles would contain each other"]
 */
export function refusedGrants(steps: readonly Step[], target: Catalog, release: Release): string[] {
  const types = new Map<number, Value>();
  const learn = (fields: readonly Value[]): void => {
    types.set(Number(fields[Field.user.id]), fields[Field.user.type]!);
  };
  for (const { fields } of target.rows(SystemSpace.USER)) learn(fields);
  const memberships = new Memberships().addAll(target);
  const refused: string[] = [];
  for (const { spaceId, row, what } of steps.filter(isWrite)) {
    if (spaceId === SystemSpace.USER) learn(decode(row) as Value[]);
    if (spaceId !== SystemSpace.PRIV) continue;
    const fields = decode(row) as Value[];
    const { grantee, objectType, objectId } = Field.priv;
    const problem = problemOf(fields, types, release);
    if (problem !== undefined) {
      refused.push(`${what}: ${problem}`);
      continue;
    }
    const [holder, role] = [Number(fields[grantee]), fields[objectId]];
    if (fields[objectType] !== 'role' || typeof role !== 'number') continue;
    if (memberships.allWith(holder).has(role)) {
      refused.push(`${what}: roles would contain each other`);
    } else {
      memberships.add(fields);
    }
  }
  return refused;
}

/** Ids of owners, by the type and the id of the object. */
type Owners = ReadonlyMap<string, Value>;

const OWNED = [
  ['space', SystemSpace.SPACE, Field.space],
  ['function', SystemSpace.FUNC, Field.func],
  ['sequence', SystemSpace.SEQUENCE, Field.sequence],
  ['user', SystemSpace.USER, Field.user],
  ['role', SystemSpace.USER, Field.user],
] as const;

function ownersOf(steps: readonly WriteStep[], target: Catalog): Owners {
  const owners = new Map<string, Value>();
  for (const [type, spaceId, { id, owner }] of OWNED) {
    const note = (fields: readonly Value[]): void => {
      owners.set(`${type} ${fields[id]}`, fields[owner]!);
    };
    for (const { fields } of target.rows(spaceId)) note(fields);
    for (const step of steps) if (step.spaceId === spaceId) note(decode(step.row) as Value[]);
  }
  return owners;
}

/** From this release on, a server accepts any grantor. */
const ANY_GRANTOR: Release = [3, 6];

/** The parts of a plan that hold grants, and the parts before them. */
type PlanParts = Readonly<Record<'before' | 'after' | 'grants' | 'triggers', Pick<Part, 'steps'>>>;

/**
 * Makes admin the grantor if the grantor may not grant this, because another user owns the object. Before 3.6, a
 * server refuses such a grant, although it may have had it since the owner changed.
 */
export function withGrantors(
  parts: PlanParts,
  target: Catalog,
  release: Release,
): { grants: Step[]; triggers: Step[] } {
  const { before, after, grants, triggers } = parts;
  if (!isOlder(release, ANY_GRANTOR)) return { grants: grants.steps, triggers: triggers.steps };
  const { grantor, objectType, objectId, bits } = Field.priv;
  const made = [...before.steps, ...after.steps, ...triggers.steps];
  let owners: Owners | undefined;
  const granted = (step: Step): Step => {
    if (step.spaceId !== SystemSpace.PRIV || !isWrite(step)) return step;
    const fields = decode(step.row) as Value[];
    if (fields[grantor] === BuiltinUser.ADMIN) return step;
    const [type, id] = [fields[objectType], fields[objectId]];
    const isPublic = type === 'role' && id === BuiltinUser.PUBLIC;
    if (isPublic && fields[bits] === Privilege.EXECUTE) return step;
    owners ??= ownersOf(made.filter(isWrite), target);
    if (owners.get(`${type} ${id}`) === fields[grantor]) return step;
    const row = joinFields(splitFields(step.row).with(grantor, encode(BuiltinUser.ADMIN)));
    return { ...step, row };
  };
  return { grants: grants.steps.map(granted), triggers: triggers.steps.map(granted) };
}
