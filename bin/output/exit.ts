import type { ErrorKind, TntarError } from '../../lib/base/errors.js';

/** Stands in the help of every command. */
export const EXIT_HELP = `
Exit codes:
  0  complete and verified
  1  server or I/O failure
  2  wrong usage
  3  archive damaged, truncated, or in an unknown format
  4  target refused: it has conflicting objects, or cannot hold the backup
  5  connection or login failed, or a privilege is missing
  128+n  stopped by signal n
`;

/** Follows the exit codes in the help of the program. */
export const DIFF_EXIT_NOTE = `  diff exits with 1 if the inputs differ, and with 6 on a server or I/O failure
`;

/** The exit code of `diff` if the inputs differ. So its failures need another code. */
export const DIFFERENT = 1;
export const DIFF_FAILURE = 6;

/** Stands in the help of `diff`. */
export const DIFF_EXIT_HELP = `
Exit codes:
  0  the inputs are equal
  ${DIFFERENT}  the inputs differ
  2  wrong usage
  3  archive damaged, truncated, or in an unknown format
  5  connection or login failed, or a privilege is missing
  ${DIFF_FAILURE}  server or I/O failure
  128+n  stopped by signal n
`;

export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failure: 1,
  usage: 2,
  archive: 3,
  target: 4,
  access: 5,
};

/** A run that a signal stopped. */
export class Interrupted extends Error {
  /** The name of the error for programs, as {@link TntarError.code}. */
  readonly code: 'TNTAR_INTERRUPTED' | 'TNTAR_INCOMPLETE';
  /** An instruction, if the run has changed a target. */
  readonly hint: string | undefined;

  /** @param error - that the work ended with */
  constructor(
    readonly signal: NodeJS.Signals,
    error?: TntarError,
  ) {
    super(`stopped by ${signal}${error?.outcome === undefined ? '' : `; ${error.outcome}`}`);
    this.code = error?.outcome === undefined ? 'TNTAR_INTERRUPTED' : 'TNTAR_INCOMPLETE';
    this.hint = error?.outcome === undefined ? undefined : error.hint;
  }
}
