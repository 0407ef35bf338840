import type { Environment } from './surroundings.js';

/**
 * Tells whether the locale has more than ASCII, by the first variable that says something. If none does, terminals
 * of today take UTF-8.
 *
 * @example hasUnicode({ LC_ALL: 'C' }); // false
 */
export function hasUnicode(env: Environment): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return locale === '' || /utf-?8/i.test(locale);
}

/** Tells whether a terminal moves its cursor and shows colors, and whether its user wants that. */
export function hasControls(env: Environment): boolean {
  return !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
