import { TntarError } from '../base/errors.js';
import { longListOf } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode, Iterator } from '../iproto/constants.js';
import { disabledIn, enableHint } from '../iproto/denials.js';
import { select } from '../iproto/requests.js';
import { SystemSpace } from '../schema/server/system-spaces.js';
import { joinFields } from '../tuple/fields.js';

/** Something that the user may not read. */
export interface Hidden {
  /** The id, if it is a space. */
  spaceId?: number;
  /** e.g. `space 'users'` */
  what: string;
  /** The text of the server. */
  why: string;
  /** An instruction, if a grant of read does not help. */
  hint?: string | undefined;
}

const NO_ROWS = 0;
const EMPTY_KEY = joinFields([]);

/**
 * Requests zero rows of each of the spaces, so that hidden ones are found before anything is read. The server decides
 * by the rules of its own version, and also for a user who may not read the grants.
 *
 * @returns the spaces that the user may not read; a missing space is not hidden
 */
export async function findHidden(
  connection: Connection,
  spaces: readonly { id: number; name: string }[],
): Promise<Hidden[]> {
  const answers = spaces.map(async ({ id, name }): Promise<Hidden[]> => {
    const what = `space '${name}'`;
    try {
      const request = select(id, 0, Iterator.ALL, EMPTY_KEY, NO_ROWS);
      await connection.request(request, `read ${what}`);
      return [];
    } catch (error) {
      if (!(error instanceof TntarError)) throw error;
      if (error.kind === 'access') return [{ spaceId: id, what, why: error.message }];
      if (error.serverCode === ErrorCode.NO_SUCH_SPACE) return [];
      throw error;
    }
  });
  return (await Promise.all(answers)).flat();
}

/** The system spaces that are needed to find out what else is hidden. */
const TELLING: readonly (number | undefined)[] = [
  SystemSpace.INDEX,
  SystemSpace.SPACE,
  SystemSpace.SEQUENCE,
];

/**
 * Throws if anything is hidden.
 *
 * @throws TntarError of kind `access` that names it all
 */
export function throwHidden(user: string, hidden: readonly Hidden[]): void {
  const [first] = hidden;
  if (first === undefined) return;
  // Then every question is denied, and none of these privileges is needed.
  for (const { why } of hidden) {
    const disabled = disabledIn(why);
    if (disabled === undefined) continue;
    const message = `user '${user}' lacks ${disabled.lacks} on universe, and may read nothing (${why})`;
    throw new TntarError('access', message, { hint: enableHint(disabled) });
  }
  const names = longListOf(hidden.map(({ what }) => what));
  const isWhole = !hidden.some(({ spaceId }) => TELLING.includes(spaceId));
  const more = isWhole ? '' : ', nor what these would tell of';
  throw new TntarError('access', `user '${user}' may not read ${names}${more} (${first.why})`, {
    hint:
      hidden.find(({ hint }) => hint !== undefined)?.hint ??
      `grant '${user}' read on universe, which the role 'replication' has, or see docs/reference/privileges.md for less`,
  });
}
