import { isShippedCollation, isShippedFunction } from '../server/builtin.js';
import { Field, isBuiltinUser, SYSTEM_ID_MAX, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';

/** A kind of objects with unique ids and names. Users and roles share theirs. */
export type Kind = 'space' | 'user' | 'function' | 'sequence' | 'collation';

/** The system space that defines a kind of objects. */
export interface Definitions {
  spaceId: number;
  /** The positions of fields in its rows. */
  id: number;
  name: number;
}

/** The definitions of all kinds. Owners come before the objects that they own. */
export const DEFINITIONS: Readonly<Record<Kind, Definitions>> = {
  user: { spaceId: SystemSpace.USER, ...Field.user },
  space: { spaceId: SystemSpace.SPACE, ...Field.space },
  function: { spaceId: SystemSpace.FUNC, ...Field.func },
  sequence: { spaceId: SystemSpace.SEQUENCE, ...Field.sequence },
  collation: { spaceId: SystemSpace.COLLATION, ...Field.collation },
};

export const KINDS = Object.keys(DEFINITIONS) as Kind[];

/** Returns true if the id has the same meaning on every server that has such an object. */
export function isBuiltinObject(kind: Kind, { fields }: SystemRow): boolean {
  const id = Number(fields[DEFINITIONS[kind].id]);
  switch (kind) {
    case 'space':
      return id <= SYSTEM_ID_MAX;
    case 'user':
      return isBuiltinUser(id);
    case 'function':
      return isShippedFunction(fields);
    case 'collation':
      return isShippedCollation(id);
    case 'sequence':
      return false;
  }
}

/**
 * Maps the ids of a backup to the ids of the target.
 *
 * @example
 * const ids = new IdMap(target, 1);
 * ids.set('user', 32, 40);
 * ids.find('user', 32); // 40
 * ids.find('user', 33); // undefined: nobody on the target
 */
export class IdMap {
  readonly #ids = new Map(KINDS.map((kind) => [kind, new Map<number, number>()]));
  /** The restoring user's id on the target. The user owns everything that has no other owner. */
  readonly restorer: number;
  /** True if the restoring user owns everything that is restored. */
  readonly isSoleOwner: boolean;

  constructor(target: Catalog, restorer: number, isSoleOwner = false) {
    this.restorer = restorer;
    this.isSoleOwner = isSoleOwner;
    for (const kind of KINDS) {
      const { spaceId, id } = DEFINITIONS[kind];
      for (const row of target.rows(spaceId)) {
        const shipped = Number(row.fields[id]);
        if (isBuiltinObject(kind, row)) this.set(kind, shipped, shipped);
      }
    }
  }

  set(kind: Kind, backupId: number, targetId: number): void {
    this.#ids.get(kind)!.set(backupId, targetId);
  }

  /** Removes the id of a user's object, because the target uses this id for a built-in object. */
  forget(kind: Kind, backupId: number): void {
    this.#ids.get(kind)!.delete(backupId);
  }

  /**
   * Returns the target's id of an owner; undefined if the target has no such user, or if only the restoring user may
   * own objects.
   */
  findOwner(backupId: unknown): number | undefined {
    const id = this.find('user', backupId);
    return this.isSoleOwner && id !== this.restorer ? undefined : id;
  }

  /** @returns undefined if the target does not have such an object, and will not get it */
  find(kind: Kind, backupId: unknown): number | undefined {
    return typeof backupId === 'number' ? this.#ids.get(kind)!.get(backupId) : undefined;
  }
}
