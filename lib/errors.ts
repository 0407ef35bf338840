/**
 * What went wrong, as far as the caller's next step is concerned. The command maps each kind to one
 * exit code; see `bin/exit.ts`.
 *
 * - `failure`: the server or the operating system failed while the work went on
 * - `usage`: the call itself is wrong
 * - `archive`: the input is damaged, truncated, or not an archive of ours
 * - `target`: the target of a restore cannot take it, and nothing was written
 * - `access`: connection, login or privilege
 */
export type ErrorKind = 'failure' | 'usage' | 'archive' | 'target' | 'access';

export interface ErrorDetails {
  /** What the user can do about it, one line. */
  hint?: string;
  cause?: unknown;
  /** The server's own code where an error reply is the cause, `src/box/errcode.h`. */
  serverCode?: number;
}

/**
 * The one error class of the package. `message` is a single line that says what happened and where.
 *
 * @example
 * throw new TntarError('archive', 'entry 512.dump.00003: SHA-256 differs from the trailer', {
 *   hint: 'fetch the archive again from where it was made',
 * });
 */
export class TntarError extends Error {
  override readonly name = 'TntarError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly serverCode: number | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.hint = details.hint;
    this.serverCode = details.serverCode;
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ');
}

/** `error` itself when it is ours, else a `failure` that carries it as its cause. */
export function asTntarError(error: unknown): TntarError {
  return error instanceof TntarError
    ? error
    : new TntarError('failure', messageOf(error), { cause: error });
}
