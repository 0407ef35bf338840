import { MAX_SPACE_ID } from '../../backup/space-id.js';
import { splitFields } from '../../tuple/fields.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { DEFINITIONS, IdMap, KINDS, type Kind } from '../catalog/id-map.js';
import { withTargetIds } from '../catalog/id-references.js';
import { rowsBy } from '../catalog/rows.js';
import { describeThing } from '../describe/describe.js';
import { LAST_SHIPPED_COLLATION } from '../server/builtin.js';
import { BuiltinUser, Field, SYSTEM_ID_MAX } from '../server/system-spaces.js';

/** How the things of a backup and those of the target are the same, or are in each other's way. */
export interface Identified {
  ids: IdMap;
  /** Rows of the backup that the target has already, under whatever id: not to be made again. */
  present: ReadonlySet<SystemRow>;
  /** What keeps the backup out, one line each. */
  conflicts: string[];
}

/**
 * The ids that may be given out. Above those of spaces 3.x has the ones that do not outlive it
 * (`BOX_SPACE_ID_TEMPORARY_MIN` of the server's `src/box/schema_def.h`); functions have theirs by
 * `BOX_FUNCTION_MAX`.
 */
const RANGES: Readonly<Record<Kind, readonly [first: number, last: number]>> = {
  user: [BuiltinUser.SUPER + 1, 2 ** 31 - 1],
  space: [SYSTEM_ID_MAX + 1, 2 ** 30 - 1],
  function: [1, 32000],
  sequence: [1, 2 ** 31 - 1],
  collation: [LAST_SHIPPED_COLLATION + 1, 2 ** 31 - 1],
};

/** Spaces and sequences hold something of their own: two under one name would mix. */
const HOLDS_DATA: ReadonlySet<Kind> = new Set<Kind>(['space', 'sequence']);

/** Fields in which the server notes when a row was changed, and who made it. */
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

/** Gives out ids that neither the backup nor the target has: behind all others, or in a gap. */
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

  /** @returns undefined where there is none left */
  take(): number | undefined {
    if (this.#next > this.#last) this.#next = this.#first;
    while (this.#taken.has(this.#next)) this.#next++;
    if (this.#next > this.#last) return undefined;
    this.#taken.add(this.#next);
    return this.#next++;
  }
}

/** A user is no role, though they share their names. */
function isOfOneType(kind: Kind, a: SystemRow, b: SystemRow): boolean {
  return kind !== 'user' || a.fields[Field.user.type] === b.fields[Field.user.type];
}

/** Something of the backup that is to be made, and what has its name on the target already. */
interface Namesake {
  kind: Kind;
  row: SystemRow;
  namesake: SystemRow;
}

/**
 * A function that runs as its owner may do what that user may: it cannot be given to somebody else, least
 * of all to the restoring user.
 */
function hasLostItsOwner(kind: Kind, { fields }: SystemRow, ids: IdMap): boolean {
  if (kind !== 'function' || Number(fields[Field.func.setuid]) === 0) return false;
  return ids.findOwner(fields[Field.func.owner]) === undefined;
}

/** What the target and the options have to say. */
export interface Where {
  /** Id on the target of the user who restores. */
  restorer?: number;
  /** The largest id of a space that the target takes. */
  lastSpace?: number;
  /** Spaces and sequences that are there by name are used, whatever they are like. */
  isUsed?: boolean;
  /** True if everything that is restored belongs to the restoring user. */
  isSoleOwner?: boolean;
}

/** Makes a thing under its own id, or under another. */
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

/** Notes the target's id of each thing of a kind. Users come first, for others belong to them. */
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
    // What the target ships under this id is something else.
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
 * Finds for each thing of the backup what it is on the target: what has its name there, or else a new
 * thing, under the same id where that is free, and under another where it is not.
 *
 * @param backup - rows as the target would hold them but for ids
 * @param made - kinds that the restore makes; of others it uses what the target has by the same name
 */
export function identify(
  backup: Catalog,
  target: Catalog,
  made: ReadonlySet<Kind>,
  {
    restorer = BuiltinUser.ADMIN,
    lastSpace = MAX_SPACE_ID,
    isUsed = false,
    isSoleOwner = false,
  }: Where = {},
): Identified {
  const ids = new IdMap(target, restorer, isSoleOwner);
  const namesakes = KINDS.flatMap((kind) =>
    matchKind(kind, backup, target, ids, made.has(kind), lastSpace),
  );
  const lasting = new Set(target.spaces.map(({ id }) => id));
  const present = new Set<SystemRow>();
  const conflicts: string[] = [];
  for (const { kind, row, namesake } of namesakes) {
    const mapped = withTargetIds(DEFINITIONS[kind].spaceId, row, ids, () => {});
    const shown = describeThing(kind, row);
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
