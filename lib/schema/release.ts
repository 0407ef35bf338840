/** A server's release, e.g. `[2, 11]`. */
export type Release = readonly [major: number, minor: number];

/** @example releaseOf('2.11.5'); // [2, 11] */
export function releaseOf(version: string): Release {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}

/** From here on an SQL identifier that is not quoted is not in upper case any more. */
export const CASE_SENSITIVE: Release = [3, 0];

export function isOlder(a: Release, b: Release): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
