/** A privilege on the universe without which a user can do nothing, whatever else was granted. */
type Basic = 'session' | 'usage';

/** A user, and one of these privileges that was revoked. */
export interface Disabled {
  user: string;
  lacks: Basic;
}

/**
 * Source: `access_check_session()` and `access_check_space()` of the server's `src/box/session.c` and
 * `src/box/space.c`, with the text of `ER_ACCESS_DENIED` in its `src/box/errcode.h`.
 */
const DENIED =
  /(Session|Usage) access to universe '' is denied for user '(.*?)'(?: \(server error|$)/;

/**
 * Finds out whether an error of a server is about `session` or `usage`, which every user has until somebody
 * revokes them. Such an error names the object that was asked for, although it is not about that object.
 *
 * @param text - in the server's words, as far as `(server error 42)`
 * @example
 * disabledIn("Usage access to universe '' is denied for user 'bak'"); // { user: 'bak', lacks: 'usage' }
 */
export function disabledIn(text: string): Disabled | undefined {
  const [, access, user] = DENIED.exec(text) ?? [];
  if (access === undefined || user === undefined) return undefined;
  return { user, lacks: access === 'Session' ? 'session' : 'usage' };
}

const WITHOUT: Readonly<Record<Basic, string>> = {
  session: 'a user cannot log in',
  usage: 'no other privilege counts',
};

/** Returns the hint for such a user. */
export function enableHint({ user, lacks }: Disabled): string {
  return `grant '${user}' ${lacks} on universe, without which ${WITHOUT[lacks]}; box.schema.user.enable('${user}') grants session and usage`;
}
