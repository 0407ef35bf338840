import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { aBoolean, anObject, checkOptions, type Kinds, oneOf } from '../base/option-checks.js';
import type { OnConflict, PlanOptions } from '../schema/plan/options.js';
import { type Existing, takesRows } from '../schema/plan/options.js';

/** The parts of a backup to restore; by default all of it. */
export type RestoreScope = Pick<PlanOptions, 'without' | 'only' | 'existing' | 'onConflict'>;

const EXISTING: readonly Existing[] = ['error', 'skip', 'replace', 'truncate', 'drop'];
const ON_CONFLICT: readonly OnConflict[] = ['error', 'skip', 'replace'];

const WITHOUT: Kinds<NonNullable<RestoreScope['without']>> = {
  users: aBoolean,
  privileges: aBoolean,
  functions: aBoolean,
};

/** The checks of these options. */
export const WANTED: Kinds<RestoreScope> = {
  without: anObject,
  only: oneOf(['schema', 'data']),
  existing: oneOf(EXISTING),
  onConflict: oneOf(ON_CONFLICT),
};

/**
 * Checks the options of a restore.
 *
 * @throws TntarError of kind `usage` for options that are invalid or contradict each other
 * @example
 * checkWanted({ only: 'data', onConflict: 'skip' });
 */
export function checkWanted(wanted: RestoreScope): void {
  checkOptions('what is wanted', wanted, WANTED);
  checkOptions('the option without', wanted.without ?? {}, WITHOUT);
  const { only, existing = 'error', onConflict = 'error' } = wanted;
  if (onConflict !== 'error' && only !== 'data') {
    throw wrong(
      `--on-conflict ${onConflict} works only with --data-only`,
      'use --existing to say what to do with existing spaces',
    );
  }
  if (existing !== 'error' && only === 'data') {
    throw wrong(
      `--existing ${existing} does not work with --data-only, which loads rows into existing spaces`,
      'use --on-conflict to say what to do with existing rows',
    );
  }
  if (takesRows(existing) && only === 'schema') {
    throw wrong(
      `--existing ${existing} needs rows, and --schema-only restores none`,
      'use --existing skip or --existing drop',
    );
  }
}

/**
 * Checks that an archive has the requested parts.
 *
 * @throws TntarError of kind `usage` if an archive of rows should give definitions, or the other way round
 * @example
 * checkHeld(manifest, { only: 'data' });
 */
export function checkHeld(manifest: Manifest, { only, existing = 'error' }: RestoreScope): void {
  if (manifest.only === 'data' && only !== 'data') {
    throw wrong(
      'the archive has rows only: spaces cannot be created from it',
      'create the spaces, and load the rows with --data-only; nothing was written',
    );
  }
  if (manifest.only !== 'schema') return;
  if (only === 'data') {
    throw wrong(
      'the archive has definitions only: there are no rows to restore',
      'nothing was written',
    );
  }
  if (takesRows(existing)) {
    throw wrong(
      `--existing ${existing} needs rows, and the archive has definitions only`,
      'use --existing skip or --existing drop; nothing was written',
    );
  }
}

function wrong(message: string, hint: string): TntarError {
  return new TntarError('usage', message, { hint });
}
