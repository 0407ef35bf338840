import { groupBy } from '../../base/collections.js';
import { encode, type Value } from '../../tuple/codec.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { foreignKeysOf } from '../catalog/foreign-keys.js';
import { functionOf, sequenceOf, spaceOf } from '../catalog/ownership.js';
import { spaceIdOf, withoutChecks } from '../catalog/rows.js';
import { Describer, isView } from '../describe/describe.js';
import { keyOf, SystemSpace, TRUNCATE_ID } from '../server/system-spaces.js';
import { sortViews } from '../sql/dialect.js';
import { Dropped } from './drop-set.js';
import type { Step } from './step.js';

/** A plan to drop spaces of the target with everything that belongs to them. */
export interface DropPlan {
  /** The steps, in an order that the server accepts, space by space if possible. */
  steps: Step[];
  /** The definitions of the target after the steps. */
  remaining: Catalog;
  /** The reasons why a space cannot be dropped, one line each. */
  conflicts: string[];
  /** Grants that are dropped, and that the backup does not restore. */
  losses: string[];
}

/** Writes the steps. */
class Dropper {
  readonly #target: Catalog;
  readonly #dropped: Dropped;
  readonly #describer: Describer;
  /** Rows by system space and by the object that they belong to, e.g. `space 512`. */
  readonly #rows = new Map<number, Map<string | undefined, SystemRow[]>>();

  constructor(target: Catalog, dropped: Dropped) {
    this.#target = target;
    this.#dropped = dropped;
    this.#describer = new Describer(target, target);
  }

  steps(): Step[] {
    const { spaces, sequences, functions } = this.#dropped;
    const views = sortViews(spaces.filter(({ fields }) => isView(fields))).reverse();
    const tables = spaces.filter(({ fields }) => !isView(fields));
    return [
      ...this.#all(SystemSpace.TRIGGER),
      ...this.#all(SystemSpace.FK_CONSTRAINT),
      ...this.#all(SystemSpace.CK_CONSTRAINT),
      ...views.flatMap((row) => this.#space(row)),
      ...tables.flatMap((row) => this.#loosen(row)),
      ...tables.flatMap((row) => this.#space(row)),
      ...[...sequences].flatMap((id) => this.#sequence(id)),
      ...[...functions].flatMap((id) => this.#function(id)),
    ];
  }

  /** Drops a space with everything that belongs to it alone. */
  #space(row: SystemRow): Step[] {
    const owner = `space ${spaceIdOf(row)}`;
    return [
      ...this.#of(SystemSpace.PRIV, owner),
      ...this.#of(SystemSpace.SPACE_SEQUENCE, owner),
      ...this.#of(SystemSpace.FUNC_INDEX, owner),
      // The primary index is dropped last.
      ...this.#of(SystemSpace.INDEX, owner).reverse(),
      this.#key(
        TRUNCATE_ID,
        [spaceIdOf(row)],
        `counter of ${this.#describer.thing('space', spaceIdOf(row))}`,
      ),
      this.#remove(SystemSpace.SPACE, row),
    ];
  }

  /** Drops a sequence. Its value may exist without being known. */
  #sequence(id: number): Step[] {
    const owner = `sequence ${id}`;
    const what = `value of ${this.#describer.thing('sequence', id)}`;
    return [
      ...this.#of(SystemSpace.PRIV, owner),
      this.#key(SystemSpace.SEQUENCE_DATA, [id], what),
      ...this.#of(SystemSpace.SEQUENCE, owner),
    ];
  }

  #function(id: number): Step[] {
    const owner = `function ${id}`;
    return [...this.#of(SystemSpace.PRIV, owner), ...this.#of(SystemSpace.FUNC, owner)];
  }

  /** Removes the foreign keys of a space. Spaces may refer to each other. */
  #loosen(row: SystemRow): Step[] {
    const isHeld = foreignKeysOf(row.fields).some(({ childId, parentId }) => childId !== parentId);
    if (!isHeld) return [];
    const what = `${this.#describer.row(SystemSpace.SPACE, row)}, without its foreign keys`;
    return [{ spaceId: SystemSpace.SPACE, verb: 'replace', row: withoutChecks(row).raw, what }];
  }

  #all(spaceId: number): Step[] {
    return this.#target
      .rows(spaceId)
      .filter((row) => this.#dropped.has(spaceId, row))
      .map((row) => this.#remove(spaceId, row));
  }

  #of(spaceId: number, owner: string): Step[] {
    const byOwner =
      this.#rows.get(spaceId) ??
      groupBy(this.#target.rows(spaceId), (row) => ownerOf(spaceId, row));
    this.#rows.set(spaceId, byOwner);
    return (byOwner.get(owner) ?? []).map((row) => this.#remove(spaceId, row));
  }

  #remove(spaceId: number, row: SystemRow): Step {
    return this.#key(spaceId, keyOf(spaceId, row.fields), this.#describer.row(spaceId, row));
  }

  #key(spaceId: number, key: Value[], what: string): Step {
    return { spaceId, verb: 'delete', key: encode(key), what };
  }
}

function ownerOf(spaceId: number, row: SystemRow): string | undefined {
  const owners = {
    space: spaceOf(spaceId, row),
    sequence: sequenceOf(spaceId, row),
    function: functionOf(spaceId, row),
  };
  const [kind, id] = Object.entries(owners).find(([, each]) => each !== undefined) ?? [];
  return kind === undefined ? undefined : `${kind} ${id}`;
}

/** Lists grants on dropped objects that nobody has in the end. */
function lostGrants(
  target: Catalog,
  backup: Catalog,
  regranted: readonly SystemRow[],
  dropped: Dropped,
): string[] {
  const [there, coming] = [new Describer(target, target), new Describer(backup, target)];
  const kept = new Set(regranted.map((row) => coming.row(SystemSpace.PRIV, row)));
  return target
    .rows(SystemSpace.PRIV)
    .filter((row) => dropped.has(SystemSpace.PRIV, row))
    .map((row) => there.row(SystemSpace.PRIV, row))
    .filter((line) => !kept.has(line))
    .map((line) => `${line} exists on the target and is dropped with its object`);
}

/**
 * Plans to drop the spaces and sequences of the target that have the names of the backup's. Other objects that depend
 * on them are a conflict: they would be lost, or the server would stop in the middle.
 *
 * Source: `box.schema.space.drop` and `box.schema.sequence.drop` of the server's `src/box/lua/schema.lua`, and the
 * order that `src/box/alter.cc` requires.
 *
 * @param backup - the user's rows of its system spaces
 * @param target - all rows of the target's system spaces
 * @param regranted - the grants of the backup that will be granted
 */
export function planDrop(
  backup: Catalog,
  target: Catalog,
  regranted: readonly SystemRow[],
): DropPlan {
  const dropped = new Dropped(backup, target);
  return {
    steps: new Dropper(target, dropped).steps(),
    remaining: Catalog.of((id) => target.rows(id).filter((row) => !dropped.has(id, row))),
    conflicts: dropped.holders(),
    losses: lostGrants(target, backup, regranted, dropped),
  };
}
