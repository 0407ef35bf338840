import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import type { Report } from '../report.js';

/** The newest major version of Tarantool that dumps were tried with. */
const TESTED_MAJOR = 3;
/** The oldest release: before it there is no read view over the wire worth the name. */
const OLDEST = { major: 2, minor: 6 };

/** Refuses servers that are too old, and says so where one is newer than any that was tried. */
export function checkVersion(connection: Connection, report: Report): void {
  const { major, minor, version } = connection.greeting;
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new TntarError(
      'failure',
      `${connection.where} is not a supported Tarantool (got ${version})`,
      { hint: `tntar speaks with ${OLDEST.major}.${OLDEST.minor} and newer` },
    );
  }
  if (major > TESTED_MAJOR) {
    report.warn(`Tarantool ${version} is newer than any that tntar was tested with; going on`);
  }
}
