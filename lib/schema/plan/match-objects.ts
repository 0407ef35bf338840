import { MAX_SPACE_ID } from '../../backup/space-id.js';
import { splitFields } from '../../tuple/fields.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { DEFINITIONS, IdMap, KINDS, type Kind } from '../catalog/id-map.js';
import { withTargetIds } from '../catalog/id-references.js';
import { rowsBy } from '../catalog/rows.js';
import { describeObject } from '../describe/describe.js';
import { LAST_SHIPPED_COLLATION } from '../server/builtin.js';
import { BuiltinUser, Field, SYSTEM_ID_MAX } from '../server/system-spaces.js';

/** The objects of a backup that exist on the target, and those that conflict with it. */
export interface MatchedObjects {
  ids: IdMap;
  /** Rows of the backup that the target already has under any id. They are not created again. */
  present: ReadonlySet<SystemRow>;
  /** The conflicts, one line each. */
  conflicts: string[];
}

/**
 * The ids of each kind that can be assigned. 3.x uses larger ids for spaces that are lost when it stops
 * (`BOX_SPACE_ID_TEMPORARY_MIN` of the server's `src/box/schema_def.h`). Ids of functions are limited by
 * `BOX_FUNCTION_MAX`.
 */
const RANGES: Readonly<Record<Kind, readonly [first: number, last: number]>> = {
  user: [BuiltinUser.SUPER + 1, 2 ** 31 - 1],
  space: [SYSTEM_ID_MAX + 1, 2 ** 30 - 1],
  function: [1, 32000],
  sequence: [1, 2 ** 31 - 1],
  collation: [LAST_SHIPPED_COLLATION + 1, 2 ** 31 - 1],
};

/** Kinds with contents of their own: two objects with one name would mix them. */
const HOLDS_DATA: ReadonlySet<Kind> = new Set<Kind>(['space', 'sequence']);

/** Fields in which the server records who changed a row, and when. */
const NOTED: Readonly<Partial<Record<Kind, readonly number[]>>> = {
  user: [Field.user.authHistory, Field.user.lastModified, Field.user.options],
  function: [Field.func.created, Field.func.lastAltered],
};

function isSameDefinition(kind: Kind, a: SystemRow, b: SystemRow): boolean {
  const [left, right] = [splitFields(a.raw), splitFields(b.raw)];
  const noted = NOTED[kind] ?? [];
  const longer = left.length < right.length ? right : left;
  return longer.every((_, i) => {
    const [ours, theirs] = [left[i], right[i]];
    return noted.includes(i) || (ours !== undefined && theirs !== undefined && ours.equals(theirs));
  });
}

/** Assigns ids that neither the backup nor the target uses: after all others, or in a gap. */
class FreshIds {
  readonly #taken: Set<number>;
  readonly #first: number;
  #next: number;
  readonly #last: number;

  constructor(kind: Kind, rows: readonly SystemRow[]) {
    const { id } = DEFINITIONS[kind];
    const [first, last] = RANGES[kind];
    this.#taken = new Set(rows.map(({ fields }) => Number(fields[id])));
    this.#first = first;
    this.#last = last;
    let next = first;
    for (const taken of this.#taken) if (taken >= next && taken <= last) next = taken + 1;
    this.#next = next;
  }

  /** @returns undefined if none is left */
  take(): number | undefined {
    if (this.#next > this.#last) this.#next = this.#first;
    while (this.#taken.has(this.#next)) this.#next++;
    if (this.#next > this.#last) return undefined;
    this.#taken.add(this.#next);
    return this.#next++;
  }
}

/** Returns true if both are users or both are roles. They share their names. */
function isOfOneType(kind: Kind, a: SystemRow, b: SystemRow): boolean {
  return kind !== 'user' || a.fields[Field.user.type] === b.fields[Field.user.type];
}

/** An object of the backup, and the object of the target with the same name. */
interface Namesake {
  kind: Kind;
  row: SystemRow;
  namesake: SystemRow;
}

/**
 * Returns true for a function that has lost its owner and runs with the owner's privileges. It must not be given to
 * another user, least of all to the restoring user.
 */
function hasLostItsOwner(kind: Kind, { fields }: SystemRow, ids: IdMap): boolean {
  if (kind !== 'function' || Number(fields[Field.func.setuid]) === 0) return false;
  return ids.findOwner(fields[Field.func.owner]) === undefined;
}

/** Facts about the target, and options. */
export interface Where {
  /** The id of the restoring user on the target. */
  restorer?: number;
  /** The largest id of a space that the target accepts. */
  lastSpace?: number;
  /** True if existing spaces and sequences are used, whatever their definitions are. */
  isUsed?: boolean;
  /** True if everything that is restored belongs to the restoring user. */
  isSoleOwner?: boolean;
}

/** Assigns the id of a new object: its own, or another. */
function place(
  kind: Kind,
  row: SystemRow,
  ids: IdMap,
  isFree: (id: number) => boolean,
  fresh: FreshIds,
): void {
  if (hasLostItsOwner(kind, row, ids)) return;
  const own = Number(row.fields[DEFINITIONS[kind].id]);
  const id = isFree(own) ? own : fresh.take();
  if (id !== undefined) ids.set(kind, own, id);
}

/** Records the target's id of each object of a kind. Users come first, because other objects belong to them. */
function matchKind(
  kind: Kind,
  backup: Catalog,
  target: Catalog,
  ids: IdMap,
  isMade: boolean,
  lastSpace: number,
): Namesake[] {
  const { spaceId, id, name } = DEFINITIONS[kind];
  const rows = backup.userRows(spaceId);
  const there = target.rows(spaceId);
  const named = rowsBy(there, name);
  const numbered = rowsBy(there, id);
  const fresh = new FreshIds(kind, [...rows, ...there]);
  const isFree = (each: number): boolean =>
    !numbered.has(each) && (kind !== 'space' || each <= lastSpace);
  const namesakes: Namesake[] = [];
  for (const row of rows) {
    const namesake = named.get(row.fields[name]!);
    const own = Number(row.fields[id]);
    // The target uses this id for a different built-in object.
    ids.forget(kind, own);
    if (namesake === undefined) {
      if (isMade) place(kind, row, ids, isFree, fresh);
    } else if (isMade || isOfOneType(kind, row, namesake)) {
      ids.set(kind, own, Number(namesake.fields[id]));
      if (isMade) namesakes.push({ kind, row, namesake });
    }
  }
  return namesakes;
}

/**
 * Finds the object on the target for each object of the backup: the one with its name, or else a new one, with the
 * same id if that is free, and with another id if it is not.
 *
 * @param backup - rows as the target would store them, except for ids
 * @param made - kinds that the restore creates; of other kinds, it uses the target's objects with the same names
 */
export function matchObjects(
  backup: Catalog,
  target: Catalog,
  made: ReadonlySet<Kind>,
  {
    restorer = BuiltinUser.ADMIN,
    lastSpace = MAX_SPACE_ID,
    isUsed = false,
    isSoleOwner = false,
  }: Where = {},
): MatchedObjects {
  const ids = new IdMap(target, restorer, isSoleOwner);
  const namesakes = KINDS.flatMap((kind) =>
    matchKind(kind, backup, target, ids, made.has(kind), lastSpace),
  );
  const lasting = new Set(target.spaces.map(({ id }) => id));
  const present = new Set<SystemRow>();
  const conflicts: string[] = [];
  for (const { kind, row, namesake } of namesakes) {
    const mapped = withTargetIds(DEFINITIONS[kind].spaceId, row, ids, () => {});
    const shown = describeObject(kind, row);
    if (HOLDS_DATA.has(kind)) {
      const isLasting = kind !== 'space' || lasting.has(Number(namesake.fields[Field.space.id]));
      if (isUsed && isLasting) present.add(row);
      else if (isLasting) conflicts.push(`${shown} already exists`);
      else conflicts.push(`${shown} already exists as a built-in or temporary object`);
    } else if (mapped !== undefined && isSameDefinition(kind, mapped, namesake)) present.add(row);
    else conflicts.push(`${shown} already exists with a different definition`);
  }
  return { ids, present, conflicts };
}
