import type { Value } from '../../tuple/codec.js';
import { Field } from './system-spaces.js';

/** A server's release, e.g. `[2, 11, 5]`. Without a patch level it means the whole series. */
export type Release = readonly [major: number, minor: number, patch?: number];

const VERSION = /^(\d+)\.(\d+)(?:\.(\d+))?/;

/**
 * Reads the release from a server's version.
 *
 * @example releaseOf('2.11.5-0-g12a9ceb87'); // [2, 11, 5]
 */
export function releaseOf(version: string): Release {
  const [, major, minor, patch] = VERSION.exec(version) ?? [];
  const series = [Number(major ?? 0), Number(minor ?? 0)] as const;
  return patch === undefined ? series : [...series, Number(patch)];
}

/**
 * Returns a release as text.
 *
 * @example showRelease([2, 11]); // '2.11'
 */
export function showRelease(release: Release): string {
  return release.join('.');
}

/** Returns true if two releases differ at most in their patch level. */
export function isSameSeries(a: Release, b: Release): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/**
 * The first release of each series that has a change, oldest first, if some series got it in a patch release.
 * Unlisted series in between never got it; all series after the last one have it.
 */
export type Backport = readonly [...earlier: Release[], last: Release];

/**
 * Returns true if a release has a change.
 *
 * @example
 * hasBackport([3, 1, 2], [[2, 11, 6], [3, 2, 2], [3, 4, 0]]); // false
 */
export function hasBackport(release: Release, backport: Backport): boolean {
  const own = backport.find((first) => isSameSeries(first, release));
  return !isOlder(release, own ?? backport.at(-1)!);
}

/**
 * The version of the definitions of a database, from the row `version` of `_schema`. It is older than the server
 * until somebody runs `box.schema.upgrade()`, and `box.schema.downgrade()` makes it older again.
 */
export type SchemaVersion = readonly [major: number, minor: number, patch: number];

/**
 * The versions that servers from 1.7.5 on give to a schema. A new database has the last one that is not newer than
 * the server.
 *
 * Source: `handlers` of the server's `src/box/lua/upgrade.lua`.
 */
const SCHEMA_VERSIONS: readonly SchemaVersion[] = [
  [1, 7, 5],
  [1, 7, 6],
  [1, 7, 7],
  [1, 10, 0],
  [1, 10, 2],
  [2, 1, 0],
  [2, 1, 1],
  [2, 1, 2],
  [2, 1, 3],
  [2, 2, 1],
  [2, 3, 0],
  [2, 3, 1],
  [2, 7, 1],
  [2, 9, 1],
  [2, 10, 1],
  [2, 10, 4],
  [2, 10, 5],
  [2, 11, 0],
  [2, 11, 1],
  [2, 11, 5],
  [3, 0, 0],
  [3, 1, 0],
  [3, 3, 0],
  [3, 8, 0],
];

/**
 * Reads a version of three numbers. Missing numbers are 0.
 *
 * @example schemaVersion('2.11.5-0-g12a9ceb'); // [2, 11, 5]
 */
export function schemaVersion(text: string): SchemaVersion {
  const [major = 0, minor = 0, patch = 0] = text
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return [major, minor, patch || 0];
}

/**
 * Returns the version of a schema as text.
 *
 * @example showSchema([2, 9, 1]); // '2.9.1'
 */
export function showSchema(version: SchemaVersion): string {
  return version.join('.');
}

/**
 * Returns the version of the schema of a new database.
 *
 * @example newestSchema('2.10.8'); // [2, 10, 5]
 */
export function newestSchema(server: string): SchemaVersion {
  const version = schemaVersion(server);
  return SCHEMA_VERSIONS.findLast((each) => !isOlder(version, each)) ?? SCHEMA_VERSIONS[0]!;
}

/**
 * Reads the version of a schema.
 *
 * @param rows - of `_schema`
 */
export function schemaVersionOf(
  rows: readonly { fields: readonly Value[] }[],
): SchemaVersion | undefined {
  const row = rows.find(({ fields }) => fields[Field.schema.key] === 'version')?.fields;
  if (row === undefined) return undefined;
  const [major, minor, patch] = row.slice(Field.schema.value).map(Number);
  return [major ?? 0, minor ?? 0, patch ?? 0];
}

/** The oldest schema that definitions are restored into: the one of a new database of 2.6. */
export const OLDEST_TARGET: SchemaVersion = [2, 3, 1];

/** The versions that define how the definitions of a database are stored, and what they mean. */
export interface Versions {
  /** The version of the running server, which reads SQL and enforces the definitions. */
  server: Release;
  /** The version that defines the form of the rows of system spaces, and the built-in objects. */
  schema: SchemaVersion;
}

/**
 * Returns the versions of a database that was created or upgraded by the server that runs it.
 *
 * @example versionsOf('2.10.8'); // { server: [2, 10, 8], schema: [2, 10, 5] }
 */
export function versionsOf(server: string): Versions {
  return { server: releaseOf(server), schema: newestSchema(server) };
}

/** From this release on, an SQL identifier without quotes is no longer converted to upper case. */
export const CASE_SENSITIVE: Release = [3, 0];

/**
 * From this release on, constraints of SQL are constraints of the space. Rows of `_fk_constraint` and
 * `_ck_constraint` are accepted and not enforced.
 *
 * Source: `convert_sql_constraints_to_tuple_constraints()` in the server's `src/box/lua/upgrade.lua`.
 */
export const TUPLE_CONSTRAINTS: Release = [2, 11];

/** From this version on, a schema has no unconverted rows there. Source: `upgrade_to_2_11_0()`. */
export const CONVERTED_CONSTRAINTS: SchemaVersion = [2, 11, 0];

/** From this release on, SQL may say `SEQSCAN` before a table, and may be required to. */
export const SEQSCAN: Release = [2, 11];

/**
 * From this release on, SQL is required to say it, unless a session is set to allow scans.
 *
 * Source: `sql_seq_scan_default` in the server's `src/box/sql.c`.
 */
export const SCANS_FORBIDDEN: Release = [3, 0];

/** From this release on, the default of a field is a value; before, it is the text of an SQL expression. */
export const DEFAULT_VALUES: Release = [3, 0];

/** Returns true if a release is older than another. A series is neither older nor newer than its own releases. */
export function isOlder(a: Release, b: Release): boolean {
  if (!isSameSeries(a, b)) return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
  const [patch, other] = [a[2], b[2]];
  return patch !== undefined && other !== undefined && patch < other;
}

/** Returns true if a move from one release to another gains the change that came with `since`. */
export function isGained(since: Release, source: Release, target: Release): boolean {
  return isOlder(source, since) && !isOlder(target, since);
}

/** Returns true if a move from one release to another loses the change that came with `since`. */
export function isLost(since: Release, source: Release, target: Release): boolean {
  return isGained(since, target, source);
}
