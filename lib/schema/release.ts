/** A server's release, e.g. `[2, 11]`. */
export type Release = readonly [major: number, minor: number];

/** @example releaseOf('2.11.5'); // [2, 11] */
export function releaseOf(version: string): Release {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}

/** @example showRelease([2, 11]); // '2.11' */
export function showRelease([major, minor]: Release): string {
  return `${major}.${minor}`;
}

/** From here on an SQL identifier that is not quoted is not in upper case any more. */
export const CASE_SENSITIVE: Release = [3, 0];

/**
 * From here on constraints of SQL are constraints of the space; rows of `_fk_constraint` and
 * `_ck_constraint` are taken, and not enforced.
 *
 * Source: `convert_sql_constraints_to_tuple_constraints()` in the server's `src/box/lua/upgrade.lua`.
 */
export const TUPLE_CONSTRAINTS: Release = [2, 11];

/** From here on SQL may say `SEQSCAN` before a table, and may have to. */
export const SEQSCAN: Release = [2, 11];

/**
 * From here on SQL has to say so, unless a session is set to allow it.
 *
 * Source: `sql_seq_scan_default` in the server's `src/box/sql.c`.
 */
export const SCANS_FORBIDDEN: Release = [3, 0];

/** From here on the default of a field is a value; before, it is the text of an SQL expression. */
export const DEFAULT_VALUES: Release = [3, 0];

/** Compares versions of as many parts as they have. */
export function isOlder<T extends readonly number[]>(a: T, b: T): boolean {
  const different = a.findIndex((part, i) => part !== b[i]);
  return different >= 0 && a[different]! < b[different]!;
}

/** True where a move from one release to another gains what came with `since`. */
export function isGained(since: Release, source: Release, target: Release): boolean {
  return isOlder(source, since) && !isOlder(target, since);
}

/** True where a move from one release to another loses what came with `since`. */
export function isLost(since: Release, source: Release, target: Release): boolean {
  return isGained(since, target, source);
}
