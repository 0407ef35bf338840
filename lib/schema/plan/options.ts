import type { Revocation } from '../../backup/manifest.js';
import { type Versions, versionsOf } from '../server/release.js';
import { SYSTEM_SPACES, SystemSpace } from '../server/system-spaces.js';

/**
 * The action for spaces and sequences that already exist on the target with the names of the backup's:
 *
 * - `error`: nothing is restored
 * - `skip`: they are kept, and the backup's are left out
 * - `replace`: their definitions are kept; rows are loaded, and replace rows with the same key
 * - `truncate`: their definitions are kept; their rows are replaced by the backup's
 * - `drop`: they are dropped and recreated as in the backup
 */
export type Existing = 'error' | 'skip' | 'replace' | 'truncate' | 'drop';

/** Returns true if existing spaces are used, and their definitions in the backup are left out. */
export function isUsed(existing: Existing): boolean {
  return existing === 'skip' || takesRows(existing);
}

/** Returns true if rows of the backup are loaded into existing spaces. */
export function takesRows(existing: Existing): boolean {
  return existing === 'replace' || existing === 'truncate';
}

/** Returns true if existing rows are removed, and restored only if the archive has them. */
export function takesAway(existing: Existing): boolean {
  return existing === 'truncate' || existing === 'drop';
}

/**
 * The action for a row whose key already exists on the target: stop the restore, skip the row, or replace the
 * existing one.
 */
export type OnConflict = 'error' | 'skip' | 'replace';

/** The versions of the databases that a backup comes from and goes to. */
export interface Releases {
  source: Versions;
  target: Versions;
}

/** The versions of a plan without any: both are the oldest release that is restored into. */
export const SAME_RELEASES: Releases = {
  source: versionsOf('2.6.0'),
  target: versionsOf('2.6.0'),
};

/** The options of a plan. */
export interface PlanOptions {
  releases?: Releases;
  /** Built-in grants that the backup's server did not have. */
  revoked?: readonly Revocation[];
  /** The id of the restoring user on the target. */
  restorer?: number;
  /** The ids in the backup of spaces whose rows are left out on purpose. */
  excluded?: ReadonlySet<number>;
  /** Kinds of definitions that are left out, even if other objects depend on them. */
  without?: { users?: boolean; privileges?: boolean; functions?: boolean } | undefined;
  /** `schema` for definitions without rows; `data` for rows alone, loaded into existing spaces with the same names. */
  only?: 'schema' | 'data' | undefined;
  /** The action for existing spaces; `error` by default. */
  existing?: Existing | undefined;
  /** Reasons why the target refuses expressions in SQL, by their texts. */
  refused?: ReadonlyMap<string, string>;
  /** The action for existing rows, with `only: 'data'`; `error` by default. */
  onConflict?: OnConflict | undefined;
}

/** Returns the system spaces that are left out on request. */
export function unwanted({ without = {}, only }: PlanOptions): ReadonlySet<number> {
  if (only === 'data') return new Set(SYSTEM_SPACES);
  return new Set([
    ...(without.users ? [SystemSpace.USER] : []),
    ...(without.functions ? [SystemSpace.FUNC] : []),
    ...(without.privileges ? [SystemSpace.PRIV] : []),
  ]);
}
