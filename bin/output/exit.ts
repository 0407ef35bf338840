import { constants } from 'node:os';
import { type ErrorKind, messageOf, TntarError } from '../../lib/base/errors.js';
import { withoutPasswords } from '../options/passwords.js';
import { wantsJson } from '../options/report-options.js';
import { writeEvent } from './json-report.js';
import { printable } from './stderr-report.js';

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

/** What `diff` ends with where the two differ; so a failure of it needs another code. */
export const DIFFERENT = 1;
const DIFF_FAILURE = 6;

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

const EXIT_CODES: Record<ErrorKind, number> = {
  failure: 1,
  usage: 2,
  archive: 3,
  target: 4,
  access: 5,
};

/** A run that a signal stopped. */
export class Interrupted extends Error {
  /** What can be done about what the run has changed, if it has. */
  readonly hint: string | undefined;

  /** @param error - that the work ended with */
  constructor(
    readonly signal: NodeJS.Signals,
    error?: TntarError,
  ) {
    super(`stopped by ${signal}${error?.outcome === undefined ? '' : `; ${error.outcome}`}`);
    this.hint = error?.outcome === undefined ? undefined : error.hint;
  }
}

/** Describes an error of the operating system. */
function describeSystemError(error: NodeJS.ErrnoException): TntarError {
  return new TntarError('failure', messageOf(error), {
    ...(error.code === 'ENOSPC' ? { hint: 'the disk is full; the output is cut short' } : {}),
  });
}

function describe(error: unknown): TntarError {
  if (error instanceof TntarError) return error;
  if (error instanceof Error && 'code' in error) {
    return describeSystemError(error as NodeJS.ErrnoException);
  }
  return new TntarError('failure', messageOf(error), {
    hint: 'this is a defect of tntar: please report it',
  });
}

let isFinished = false;
let isDiff = false;

/** To be called by `diff` before anything can fail: from then on a failure is not told as a difference. */
export function useDiffCodes(): void {
  isDiff = true;
}

/**
 * Says what went wrong and ends the process. What still waits to be written to standard output is
 * dropped: it is no backup, and whoever should read it may never do so. Only the first error counts: a
 * second one, such as that of a stream that ends because of the first, adds nothing.
 */
export function finish(error: unknown): void {
  if (isFinished) return;
  isFinished = true;
  if (error instanceof Interrupted) exit(128 + constants.signals[error.signal], error);
  else {
    const described = describe(error);
    const code = EXIT_CODES[described.kind];
    exit(isDiff && code === DIFFERENT ? DIFF_FAILURE : code, described);
  }
}

/** Ends the process without a word, as SIGPIPE does. */
export function leave(): void {
  if (isFinished) return;
  isFinished = true;
  process.exit(128 + constants.signals.SIGPIPE);
}

function exit(code: number, error: { message: string; hint: string | undefined }): void {
  const hidden = (text: string): string => withoutPasswords(text, process.argv.slice(2));
  const message = hidden(error.message);
  const hint = error.hint === undefined ? undefined : hidden(error.hint);
  process.exitCode = code;
  if (wantsJson()) {
    writeEvent('error', { message, hint, exitCode: code }, () => process.exit());
    return;
  }
  const lines = [`tntar: ${message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
  process.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''), () => process.exit());
}
