import type { Value } from '../../tuple/codec.js';
import type { Catalog } from '../catalog/catalog.js';
import { Field, Privilege, SystemSpace } from '../server/system-spaces.js';

/** Bits of `user_access_t` of the server's `src/box/user_def.h`; `_priv` holds 32. */
export const ACCESS_BITS = 0xffff;

/** Tells whether a row of `_priv` puts its grantee into a role. */
const isMembership = (fields: readonly Value[]): boolean =>
  fields[Field.priv.objectType] === 'role' &&
  typeof fields[Field.priv.objectId] === 'number' &&
  (Number(fields[Field.priv.bits]) & ACCESS_BITS) === Privilege.EXECUTE;

/** The membership of users and roles in roles. */
export class Memberships {
  /** Users and roles that have a role, by the role. */
  readonly #holders = new Map<number, Set<number>>();

  /** @param fields - of a row of `_priv`, whatever it grants */
  add(fields: readonly Value[]): void {
    if (!isMembership(fields)) return;
    const role = Number(fields[Field.priv.objectId]);
    const holders = this.#holders.get(role) ?? new Set();
    this.#holders.set(role, holders.add(Number(fields[Field.priv.grantee])));
  }

  /** Adds all of a catalog. */
  addAll(catalog: Catalog): this {
    for (const { fields } of catalog.rows(SystemSpace.PRIV)) this.add(fields);
    return this;
  }

  /** Returns a role, and all users and roles that have it, themselves or by other roles. */
  allWith(role: number): ReadonlySet<number> {
    const found = new Set([role]);
    // What is added on the way is looked at, too.
    for (const each of found) for (const holder of this.#holders.get(each) ?? []) found.add(holder);
    return found;
  }
}
