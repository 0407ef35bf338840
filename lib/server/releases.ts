import { TntarError } from '../base/errors.js';
import type { Report } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import { isOlder, type Release, releaseOf, showRelease } from '../schema/server/release.js';

/** The newest major version of Tarantool that dumps were tried with. */
const TESTED_MAJOR = 3;
/** The oldest release that is read. */
const OLDEST_SOURCE: Release = [1, 10];
/** The oldest release that is restored into, and the first one whose read view is used. */
const OLDEST_TARGET: Release = [2, 6];

function warnOfNewer({ greeting: { major, version } }: Connection, report: Report): void {
  if (major > TESTED_MAJOR) {
    report.warn(
      `Tarantool ${version} is newer than every version that tntar was tested with; continuing`,
    );
  }
}

/**
 * Tells whether a server has a read view over the wire. Older ones have none, or none of everything.
 *
 * @param version - of the server, e.g. `1.10.15`
 */
export function hasReadView(version: string): boolean {
  return !isOlder(releaseOf(version), OLDEST_TARGET);
}

/** Refuses to read a server that is too old, and warns of one that is newer than any that was tried. */
export function checkSource(connection: Connection, report: Report): void {
  const { version } = connection.greeting;
  if (isOlder(releaseOf(version), OLDEST_SOURCE)) {
    throw new TntarError(
      'failure',
      `${connection.where} runs Tarantool ${version}, which is too old to be read`,
      { hint: `tntar reads ${showRelease(OLDEST_SOURCE)} and newer` },
    );
  }
  warnOfNewer(connection, report);
}

/** Refuses to restore into a server that is too old, and warns of one that is newer than any that was tried. */
export function checkTarget(connection: Connection, report: Report): void {
  const { version } = connection.greeting;
  if (!hasReadView(version)) {
    throw new TntarError(
      'target',
      `the target ${connection.where} runs Tarantool ${version}, which is too old to restore into`,
      { hint: `restore into ${showRelease(OLDEST_TARGET)} or newer; nothing was written` },
    );
  }
  warnOfNewer(connection, report);
}
