import type { Value } from '../../tuple/codec.js';
import type { Catalog } from '../catalog/catalog.js';
import { Field, Privilege, SystemSpace } from '../server/system-spaces.js';

/** Bits of `user_access_t` of the server's `src/box/user_def.h`; `_priv` has 32 bits. */
export const ACCESS_BITS = 0xffff;

/** Returns true for a row of `_priv` that grants a role. */
const isMembership = (fields: readonly Value[]): boolean =>
  fields[Field.priv.objectType] === 'role' &&
  typeof fields[Field.priv.objectId] === 'number' &&
  (Number(fields[Field.priv.bits]) & ACCESS_BITS) === Privilege.EXECUTE;

/** The members of roles. */
export class Memberships {
  /** Users and roles that have a role, by the id of the role. */
  readonly #holders = new Map<number, Set<number>>();

  /**
   * Adds a row of `_priv`.
   *
   * @param fields - of the row, whatever it grants
   */
  add(fields: readonly Value[]): void {
    if (!isMembership(fields)) return;
    const role = Number(fields[Field.priv.objectId]);
    const holders = this.#holders.get(role) ?? new Set();
    this.#holders.set(role, holders.add(Number(fields[Field.priv.grantee])));
  }

  /** Adds all rows of a catalog. */
  addAll(catalog: Catalog): this {
    for (const { fields } of catalog.rows(SystemSpace.PRIV)) this.add(fields);
    return this;
  }

  /** Returns a role, and all users and roles that have it directly or by other roles. */
  allWith(role: number): ReadonlySet<number> {
    const found = new Set([role]);
    // The loop also visits the ids that it adds.
    for (const each of found) for (const holder of this.#holders.get(each) ?? []) found.add(holder);
    return found;
  }
}
