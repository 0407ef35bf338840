import type { Catalog } from '../catalog/catalog.js';
import { isTable } from '../catalog/rows.js';
import { CASE_SENSITIVE, isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { namesInCapitals, namesOf, sqlOf } from '../sql/dialect.js';
import { leastRelease } from './unsupported.js';

/** The last release before 3.0. */
const LAST_OF_2: Release = [2, 11];
/** Types of fields whose default may be a text. */
const TEXTS: readonly unknown[] = [undefined, 'any', 'scalar', 'string', 'str', '*'];

/** Returns true if the text of a view can only be from 2.x. */
function hasOldViews(backup: Catalog): boolean {
  const names = namesOf(backup);
  return backup
    .userRows(SystemSpace.SPACE)
    .some((row) => namesInCapitals(sqlOf(row, Field.space.flags) ?? '', names));
}

/** Returns true if a default can only be the text of an SQL expression. */
function hasSqlDefaults(backup: Catalog): boolean {
  return backup.spaces.some(({ format }) =>
    format.filter(isTable).some(({ type, default: text }) => {
      if (typeof text !== 'string') return false;
      return text.startsWith("'") || !TEXTS.includes(type);
    }),
  );
}

/**
 * Infers the release of the server if the backup does not record it. It is the release of the target, so that rows
 * are restored unchanged; a newer one if spaces or indexes use features that the target's lacks; and 2.x if SQL is
 * valid only there.
 *
 * @param backup - the user's rows of the system spaces
 * @example
 * inferRelease(catalog, [3, 0]); // [2, 11], because a view says `FROM users` of a space `USERS`
 */
export function inferRelease(backup: Catalog, target: Release): Release {
  const least = leastRelease(backup);
  if (isOlder(target, least)) return least;
  const mayBeOf2 = isOlder(least, CASE_SENSITIVE) && !isOlder(target, CASE_SENSITIVE);
  return mayBeOf2 && (hasOldViews(backup) || hasSqlDefaults(backup)) ? LAST_OF_2 : target;
}
