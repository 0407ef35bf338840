import { decode, type Value } from '../../tuple/codec.js';
import { splitFields } from '../../tuple/fields.js';
import type { Catalog } from '../catalog/catalog.js';
import { BuiltinUser, Field, SystemSpace } from '../server/system-spaces.js';
import { Memberships } from '../trust/memberships.js';
import { hasEmptyPassword } from '../trust/passwords.js';
import { isWrite, type Step, type WriteStep } from './step.js';

/** The rights that a restore gives, in words, one line each. */
export interface Rights {
  /** Owners other than the restoring user: they may use what they own without a grant. */
  owners: string[];
  /** Rights that are given to everybody, because no password protects them. */
  open: string[];
}

/**
 * The fields that name owners. The owner may use a space, a sequence or a function without a grant, may grant a
 * role, and may change the password of a user.
 *
 * Source: `access_check_ddl()` and `priv_def_check()` of the server's `src/box/alter.cc`, `access_check_space()`
 * of `src/box/space.c`, `access_check_func()` of `src/box/func.c`.
 */
const OWNERS: ReadonlyMap<number, number> = new Map([
  [SystemSpace.COLLATION, Field.collation.owner],
  [SystemSpace.SPACE, Field.space.owner],
  [SystemSpace.SEQUENCE, Field.sequence.owner],
  [SystemSpace.FUNC, Field.func.owner],
  [SystemSpace.USER, Field.user.owner],
]);

/** The users and roles of the target, by their ids. */
class Holders {
  readonly #names = new Map<number, string>();
  /** Users and roles that everybody can act as. */
  readonly #open = new Set<number>([BuiltinUser.GUEST, BuiltinUser.PUBLIC]);
  readonly #memberships: Memberships;

  constructor(target: Catalog) {
    this.#memberships = new Memberships().addAll(target);
    for (const { fields } of target.rows(SystemSpace.USER)) this.add(fields);
  }

  add(fields: readonly Value[]): void {
    const id = Number(fields[Field.user.id]);
    this.#names.set(id, `${fields[Field.user.type]} '${fields[Field.user.name]}'`);
    if (hasEmptyPassword(fields[Field.user.auth])) this.#open.add(id);
  }

  addGrant(fields: readonly Value[]): void {
    this.#memberships.add(fields);
  }

  name(id: number): string {
    return this.#names.get(id) ?? `user ${id}`;
  }

  isOpen(id: number): boolean {
    return this.#open.has(id);
  }

  /** Returns true if everybody has the grants of a user or a role, directly or by roles. */
  isOpenGrantee(id: number): boolean {
    return [...this.#memberships.allWith(id)].some((holder) => this.#open.has(holder));
  }
}

/**
 * Lists the rights that the steps of a restore give.
 *
 * @param steps - with the ids of the target
 * @param target - all rows of the target's system spaces
 * @param restorer - id on the target of the restoring user
 * @example
 * rightsOf(steps, target, 1).open; // ["user 'guest' owns space 'accounts'"]
 */
export function rightsOf(steps: readonly Step[], target: Catalog, restorer: number): Rights {
  const holders = new Holders(target);
  const written = steps.filter(isWrite);
  for (const { spaceId, row } of written) {
    if (spaceId === SystemSpace.USER) holders.add(decode(row) as Value[]);
    if (spaceId === SystemSpace.PRIV) holders.addGrant(decode(row) as Value[]);
  }
  const owners = new Set<string>();
  const open = new Set<string>();
  for (const step of written) {
    const line = openRight(step, holders);
    if (line !== undefined) open.add(line);
    const owner = ownerOf(step);
    if (owner === undefined) continue;
    const owned = `${holders.name(owner)} owns ${step.what}`;
    if (holders.isOpen(owner)) open.add(owned);
    else if (owner !== restorer) owners.add(owned);
  }
  return { owners: [...owners], open: [...open] };
}

function ownerOf({ spaceId, row }: WriteStep): number | undefined {
  const raw = splitFields(row)[OWNERS.get(spaceId) ?? -1];
  return raw === undefined ? undefined : Number(decode(raw));
}

/** Returns a right other than ownership that everybody gets. */
function openRight({ spaceId, row, what }: WriteStep, holders: Holders): string | undefined {
  if (spaceId !== SystemSpace.PRIV && spaceId !== SystemSpace.USER) return undefined;
  const fields = decode(row) as Value[];
  if (spaceId === SystemSpace.PRIV) {
    return holders.isOpenGrantee(Number(fields[Field.priv.grantee])) ? what : undefined;
  }
  return hasEmptyPassword(fields[Field.user.auth]) ? `${what} has an empty password` : undefined;
}
