import type { Revocation } from '../../backup/manifest.js';
import { type Versions, versionsOf } from '../server/release.js';
import { SYSTEM_SPACES, SystemSpace } from '../server/system-spaces.js';

/**
 * What becomes of spaces, and of sequences, that the target has already by the names of the backup's:
 *
 * - `error`: nothing is restored
 * - `skip`: they stay as they are, and what the backup has of them stays away
 * - `replace`: their definitions stay; rows go in, in the place of those that have the same key
 * - `truncate`: their definitions stay; their rows go, and those of the backup take their place
 * - `drop`: they are dropped, and made as the backup has them
 */
export type Existing = 'error' | 'skip' | 'replace' | 'truncate' | 'drop';

/** True where spaces that are there are used: what the backup says of them is not to be made. */
export function isUsed(existing: Existing): boolean {
  return existing === 'skip' || takesRows(existing);
}

/** True where rows of the backup go into spaces that are there. */
export function takesRows(existing: Existing): boolean {
  return existing === 'replace' || existing === 'truncate';
}

/** True where rows that are there go, and come back only if the archive has them. */
export function takesAway(existing: Existing): boolean {
  return existing === 'truncate' || existing === 'drop';
}

/**
 * What becomes of a row whose key the target has already: it ends the restore, stays away, or takes the
 * place of the one that is there.
 */
export type OnConflict = 'error' | 'skip' | 'replace';

/** Versions of the database that a backup is from, and of the one that it goes to. */
export interface Releases {
  source: Versions;
  target: Versions;
}

/** Of a plan that nobody gave any: both are of the oldest release that is restored into. */
export const SAME_RELEASES: Releases = {
  source: versionsOf('2.6.0'),
  target: versionsOf('2.6.0'),
};

/** What a plan depends on besides the two catalogs. */
export interface PlanOptions {
  releases?: Releases;
  /** Grants that the backup's server ships and had not. */
  revoked?: readonly Revocation[];
  /** Id on the target of the user who restores. */
  restorer?: number;
  /** Ids in the backup of spaces whose rows are left out on purpose. */
  excluded?: ReadonlySet<number>;
  /** Kinds of definitions that stay away, even if that costs what depends on them. */
  without?: { users?: boolean; privileges?: boolean; functions?: boolean } | undefined;
  /** `schema`: definitions and no rows; `data`: rows, into spaces that are there by name. */
  only?: 'schema' | 'data' | undefined;
  /** What becomes of spaces that the target has by name; `error` by default. */
  existing?: Existing | undefined;
  /** Reasons why the target refuses expressions in SQL, by their texts. */
  refused?: ReadonlyMap<string, string>;
  /** With rows alone: what becomes of a row whose key the target has; `error` by default. */
  onConflict?: OnConflict | undefined;
}

/** Definitions that stay away on request. */
export function unwanted({ without = {}, only }: PlanOptions): ReadonlySet<number> {
  if (only === 'data') return new Set(SYSTEM_SPACES);
  return new Set([
    ...(without.users ? [SystemSpace.USER] : []),
    ...(without.functions ? [SystemSpace.FUNC] : []),
    ...(without.privileges ? [SystemSpace.PRIV] : []),
  ]);
}
