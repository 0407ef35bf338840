import { inspect } from 'node:util';

/**
 * What went wrong, as far as the caller's next step is concerned. The command maps each kind to one
 * exit code; see `bin/output/exit.ts`.
 *
 * - `failure`: the server or the operating system failed while the work went on
 * - `usage`: the call itself is wrong
 * - `archive`: the input is damaged, truncated, or not an archive of ours
 * - `target`: the target of a restore cannot take it, and nothing was written
 * - `access`: connection, login or privilege
 */
export type ErrorKind = 'failure' | 'usage' | 'archive' | 'target' | 'access';

/** The part that an error of the kind `access` refuses. */
type Refused = 'connection' | 'login' | 'privilege';

/**
 * Names the kind of an error for a program, e.g. for a `switch`. These names do not change between releases.
 * `TNTAR_INCOMPLETE` is the error of any kind after which the target holds a part of a backup.
 */
export const ERROR_CODES = {
  failure: 'TNTAR_FAILURE',
  usage: 'TNTAR_USAGE',
  archive: 'TNTAR_ARCHIVE',
  target: 'TNTAR_TARGET',
  connection: 'TNTAR_CONNECTION',
  login: 'TNTAR_LOGIN',
  privilege: 'TNTAR_PRIVILEGE',
  incomplete: 'TNTAR_INCOMPLETE',
} as const satisfies Record<Exclude<ErrorKind, 'access'> | Refused | 'incomplete', string>;

/** The name of an error for programs, e.g. `TNTAR_ARCHIVE`. */
export type ErrorCode = (typeof ERROR_CODES)[keyof typeof ERROR_CODES];

/** The details of an error. */
export interface ErrorDetails {
  /** An instruction for the user, one line. */
  hint?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
  /** The server's own code if an error reply is the cause, `src/box/errcode.h`. */
  serverCode?: number | undefined;
  /** The refused part, for the kind `access`. Default `privilege`. */
  refused?: Refused | undefined;
  /** The changes that were made before the error, if any. It follows the message. */
  outcome?: string | undefined;
}

/**
 * The one error class of the package. `message` is a single line that says what happened and where.
 *
 * @example
 * throw new TntarError('archive', 'entry 512.dump.00003: SHA-256 differs from the trailer', {
 *   hint: 'fetch the archive again from where it was made',
 * });
 * @example
 * try {
 *   await dump(server, output);
 * } catch (error) {
 *   if (error instanceof TntarError && error.code === 'TNTAR_LOGIN') askForAnotherPassword(error.hint);
 *   else throw error;
 * }
 */
export class TntarError extends Error {
  override readonly name = 'TntarError';
  /** The kind of the error. */
  readonly kind: ErrorKind;
  /** The same for programs; and whether the target holds a part of a backup. */
  readonly code: ErrorCode;
  /** An instruction for the user, one line. */
  readonly hint: string | undefined;
  /** The server's own code if an error reply is the cause. */
  readonly serverCode: number | undefined;
  readonly outcome: string | undefined;
  /** @internal */
  readonly refused: Refused | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    const { outcome, cause, refused } = details;
    const text = outcome === undefined ? message : `${message}; ${outcome}`;
    super(onOneLine(text), cause === undefined ? undefined : { cause });
    this.kind = kind;
    const name = kind === 'access' ? (refused ?? 'privilege') : kind;
    this.code = ERROR_CODES[outcome === undefined ? name : 'incomplete'];
    this.refused = refused;
    this.hint = details.hint === undefined ? undefined : cut(details.hint);
    this.serverCode = details.serverCode;
    this.outcome = outcome;
  }

  /**
   * Adds details to an error, which becomes the cause. Details that are not given are kept.
   *
   * @example
   * throw TntarError.wrap(error, { message: `${error.message}, after 10 rows of space 'users'` });
   */
  static wrap(
    error: TntarError,
    more: Partial<Pick<TntarError, 'message' | 'hint'>> & Pick<ErrorDetails, 'outcome'>,
  ): TntarError {
    const { message, hint, outcome } = { ...error, message: error.message, ...more };
    const { kind, serverCode, refused } = error;
    return new TntarError(kind, message, { hint, outcome, serverCode, refused, cause: error });
  }
}

/** Characters of a message. The longest of ours has a hundred names, each of 200 characters at most. */
export const MAX_MESSAGE = 32 * 1024;

function cut(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
}

function onOneLine(text: string): string {
  // one run of white space after the other: `\s*\n\s*` would look at each again from each of its characters
  return cut(text).replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks));
}

/** The message of anything that was thrown, on one line; never throws itself. */
export function messageOf(error: unknown): string {
  return onOneLine(textOf(error));
}

function textOf(error: unknown): string {
  try {
    if (typeof error === 'string') return error;
    // not by its class: an error may be of another realm
    const { message, name } = Object(error) as Record<string, unknown>;
    const text = [message, name].find((each) => typeof each === 'string' && each !== '');
    return text === undefined ? inspect(error, { breakLength: Infinity }) : String(text);
  } catch {
    // a getter or a proxy of foreign code
    return 'something that cannot be shown was thrown';
  }
}

/** `error` itself when it is ours, else a `failure` that carries it as its cause. */
export function asTntarError(error: unknown): TntarError {
  return error instanceof TntarError
    ? error
    : new TntarError('failure', messageOf(error), { cause: error });
}

/**
 * Does `work`. Where it fails and `signal` was aborted, its error is the reason of the signal, whatever
 * broke because of that.
 *
 * @example
 * await unlessAborted(signal, () => pipeline(input, output, { signal }));
 */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
