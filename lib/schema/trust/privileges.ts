import { groupBy } from '../../base/collections.js';
import type { Value } from '../../tuple/codec.js';
import type { Catalog } from '../catalog/catalog.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../server/system-spaces.js';

/** The facts about an object that access to it depends on. */
export interface Owned {
  id?: Value | undefined;
  /** The id of its owner. */
  owner?: Value | undefined;
}

const UNIVERSE = 'universe';
const ROLE = 'role';
/** The bits of `user_access_t` of `src/box/user_def.h`, which has 16; `_priv` stores them as 32. */
const ALL_BITS = 0xffff;

/** The id of a grant on all objects of a type, `priv_def_create_from_tuple()` of `src/box/alter.cc`. */
const EVERY = '';

function keyOf(type: Value | undefined, id: Value | undefined): string {
  return `${type} ${id}`;
}

/** Returns the ids of a user and its roles, including roles of roles. */
function withRoles(userId: number, grantsOf: ReadonlyMap<number, readonly Value[][]>): Set<number> {
  const { objectType, objectId, bits } = Field.priv;
  const found = new Set([userId]);
  for (const id of found) {
    for (const grant of grantsOf.get(id) ?? []) {
      // Other bits on a role concern the role as an object.
      const isMember = grant[objectType] === ROLE && Number(grant[bits]) & Privilege.EXECUTE;
      if (isMember && grant[objectId] !== EVERY) found.add(Number(grant[objectId]));
    }
  }
  return found;
}

/**
 * The privileges of one user: the sum of its grants and of those of its roles, `public` included, on the universe, on
 * all objects of a type, and on single objects.
 *
 * Source: the server's `src/box/user_def.h` and `user_reload_privs()` of `src/box/user.cc`; for how they
 * add up, `access_check_space()` of `src/box/space.c`, `access_check_ddl()` of `src/box/alter.cc` and
 * `access_check_universe()` of `src/box/session.c`. The same from 2.6 to 3.x.
 *
 * @example
 * const privileges = new Privileges(catalog, 'ann');
 * (privileges.on('space', { id: 512, owner: 1 }) & Privilege.READ) !== 0; // may ann read it?
 */
export class Privileges {
  readonly user: string;
  readonly userId: number;
  /** Bits by object, and by type with the id {@link EVERY}. */
  readonly #granted = new Map<string, number>();

  /** @param catalog - with all rows of `_user` and `_priv` */
  constructor(catalog: Catalog, user: string) {
    const { grantee, objectType, objectId, bits } = Field.priv;
    const { id, name, type } = Field.user;
    const row = catalog
      .rows(SystemSpace.USER)
      .find(({ fields }) => fields[name] === user && fields[type] === 'user');
    this.user = user;
    this.userId = Number(row?.fields[id] ?? BuiltinUser.GUEST);
    const grants = catalog.rows(SystemSpace.PRIV).map(({ fields }) => fields);
    const grantsOf = groupBy(grants, (fields) => Number(fields[grantee]));
    for (const holder of withRoles(this.userId, grantsOf)) {
      for (const grant of grantsOf.get(holder) ?? []) {
        const key = keyOf(grant[objectType], grant[objectId]);
        this.#granted.set(key, (this.#granted.get(key) ?? 0) | (Number(grant[bits]) & ALL_BITS));
      }
    }
  }

  /**
   * Returns the bits of `enum priv_type` that the user has on an object; without an id, on any object of the type.
   * The owner may do everything except create. Without usage, nobody may do anything.
   *
   * @param type - as in `_priv`: `space`, `sequence`, `function`, `user`, `role`, `universe`, …
   */
  on(type: string, { id, owner }: Owned = {}): number {
    const general = this.#bits(UNIVERSE, 0) | this.#bits(type, EVERY);
    if ((general & Privilege.USAGE) === 0) return 0;
    const own = owner === this.userId ? ALL_BITS & ~Privilege.CREATE : 0;
    return general | own | (id === undefined ? 0 : this.#bits(type, id));
  }

  #bits(type: string, id: Value): number {
    return this.#granted.get(keyOf(type, id)) ?? 0;
  }
}
