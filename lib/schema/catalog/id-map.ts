import { isShippedCollation, isShippedFunction } from '../server/builtin.js';
import { Field, isBuiltinUser, SYSTEM_ID_MAX, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';

/** What has an id and a name, each taken once. Users and roles share theirs. */
export type Kind = 'space' | 'user' | 'function' | 'sequence' | 'collation';

/** Where the things of a kind are defined. */
export interface Definitions {
  spaceId: number;
  /** Fields of their rows. */
  id: number;
  name: number;
}

/** Owners before what they own. */
export const DEFINITIONS: Readonly<Record<Kind, Definitions>> = {
  user: { spaceId: SystemSpace.USER, ...Field.user },
  space: { spaceId: SystemSpace.SPACE, ...Field.space },
  function: { spaceId: SystemSpace.FUNC, ...Field.func },
  sequence: { spaceId: SystemSpace.SEQUENCE, ...Field.sequence },
  collation: { spaceId: SystemSpace.COLLATION, ...Field.collation },
};

export const KINDS = Object.keys(DEFINITIONS) as Kind[];

/** True where the id means the same on every server, so far as it has such a thing. */
export function isShippedThing(kind: Kind, { fields }: SystemRow): boolean {
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
 * Which id on the target stands for an id of the backup.
 *
 * @example
 * const ids = new IdMap(target, 1);
 * ids.set('user', 32, 40);
 * ids.find('user', 32); // 40
 * ids.find('user', 33); // undefined: nobody on the target
 */
export class IdMap {
  readonly #ids = new Map(KINDS.map((kind) => [kind, new Map<number, number>()]));
  /** The user who restores, as the target knows it: owns what belongs to nobody else. */
  readonly restorer: number;
  /** True if everything that is restored belongs to the restoring user. */
  readonly isSoleOwner: boolean;

  constructor(target: Catalog, restorer: number, isSoleOwner = false) {
    this.restorer = restorer;
    this.isSoleOwner = isSoleOwner;
    for (const kind of KINDS) {
      const { spaceId, id } = DEFINITIONS[kind];
      for (const row of target.rows(spaceId)) {
        const shipped = Number(row.fields[id]);
        if (isShippedThing(kind, row)) this.set(kind, shipped, shipped);
      }
    }
  }

  set(kind: Kind, backupId: number, targetId: number): void {
    this.#ids.get(kind)!.set(backupId, targetId);
  }

  /** For an id of the backup's own that the target uses for something that it ships. */
  forget(kind: Kind, backupId: number): void {
    this.#ids.get(kind)!.delete(backupId);
  }

  /**
   * Returns the target's id of an owner; undefined if the target has no such user, or if nobody but the restoring
   * user may own anything.
   */
  findOwner(backupId: unknown): number | undefined {
    const id = this.find('user', backupId);
    return this.isSoleOwner && id !== this.restorer ? undefined : id;
  }

  /** @returns undefined where the target has no such thing, and will not get it */
  find(kind: Kind, backupId: unknown): number | undefined {
    return typeof backupId === 'number' ? this.#ids.get(kind)!.get(backupId) : undefined;
  }
}
