import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { aBoolean, anObject, checkOptions, type Kinds, oneOf } from '../base/option-checks.js';
import type { OnConflict, PlanOptions } from '../schema/plan/options.js';
import { type Existing, takesRows } from '../schema/plan/options.js';

/** What of a backup is wanted; all of it by default. */
export type Wanted = Pick<PlanOptions, 'without' | 'only' | 'existing' | 'onConflict'>;

const EXISTING: readonly Existing[] = ['error', 'skip', 'replace', 'truncate', 'drop'];
const ON_CONFLICT: readonly OnConflict[] = ['error', 'skip', 'replace'];

const WITHOUT: Kinds<NonNullable<Wanted['without']>> = {
  users: aBoolean,
  privileges: aBoolean,
  functions: aBoolean,
};

/** What the options take that say what is wanted. */
export const WANTED: Kinds<Wanted> = {
  without: anObject,
  only: oneOf(['schema', 'data']),
  existing: oneOf(EXISTING),
  onConflict: oneOf(ON_CONFLICT),
};

/**
 * @throws TntarError of kind `usage` for wishes that are none, or contradict each other
 * @example
 * checkWanted({ only: 'data', onConflict: 'skip' });
 */
export function checkWanted(wanted: Wanted): void {
  checkOptions('what is wanted', wanted, WANTED);
  checkOptions('the option without', wanted.without ?? {}, WITHOUT);
  const { only, existing = 'error', onConflict = 'error' } = wanted;
  if (onConflict !== 'error' && only !== 'data') {
    throw wrong(
      `--on-conflict ${onConflict} is for --data-only`,
      'with definitions, --existing says what becomes of spaces that are there',
    );
  }
  if (existing !== 'error' && only === 'data') {
    throw wrong(
      `--existing ${existing} is not for --data-only, whose rows go into spaces that are there`,
      '--on-conflict says what becomes of rows that are there',
    );
  }
  if (takesRows(existing) && only === 'schema') {
    throw wrong(
      `--existing ${existing} is about rows, and --schema-only restores none`,
      'use --existing skip or --existing drop',
    );
  }
}

/**
 * @throws TntarError of kind `usage` where an archive of one half is to give the other
 * @example
 * checkHeld(manifest, { only: 'data' });
 */
export function checkHeld(manifest: Manifest, { only, existing = 'error' }: Wanted): void {
  if (manifest.only === 'data' && only !== 'data') {
    throw wrong(
      'the archive holds rows only: no spaces can be made of it',
      'make the spaces, and fill them with --data-only; nothing was written',
    );
  }
  if (manifest.only !== 'schema') return;
  if (only === 'data') {
    throw wrong('the archive holds definitions only: it has no rows', 'nothing was written');
  }
  if (takesRows(existing)) {
    throw wrong(
      `the archive holds definitions only, and --existing ${existing} is about rows`,
      'use --existing skip or --existing drop; nothing was written',
    );
  }
}

function wrong(message: string, hint: string): TntarError {
  return new TntarError('usage', message, { hint });
}
