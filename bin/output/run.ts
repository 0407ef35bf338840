import { constants } from 'node:os';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import { withoutPasswords } from '../options/passwords.js';
import type { ReportFlags } from '../options/report-options.js';
import { DIFF_FAILURE, EXIT_CODES, Interrupted } from './exit.js';
import { JsonReport, writeEvent } from './json-report.js';
import { printable, type RunReport, StderrReport } from './stderr-report.js';
import type { Surroundings } from './surroundings.js';

/** Error codes of a reader that went away: of a pipe, and of a socket. */
const GONE: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET'];

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

/**
 * One run of the command: how it reports, and how it ends.
 *
 * @example
 * const run = new Run(process.argv.slice(2), process);
 * run.end(new TntarError('usage', 'wrong option')); // prints it, and exits with 2
 */
export class Run {
  #isJson = false;
  #failureCode = EXIT_CODES.failure;
  #isOver = false;

  /**
   * @param args - of the command line; passwords among them are in no message
   * @param process - that the run belongs to, or what stands for it
   */
  constructor(
    readonly args: readonly string[] = [],
    readonly process: Surroundings = globalThis.process,
  ) {}

  /** True if the run has ended, or is about to when its last words are written. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Returns the report of the run, on stderr. An error that ends the run takes the same form. */
  report({ quiet, progress }: ReportFlags): RunReport {
    this.#isJson = progress === 'json';
    return this.#isJson
      ? new JsonReport(this.process.stderr, quiet)
      : new StderrReport(this.process, quiet);
  }

  /** Makes a failure exit with {@link DIFF_FAILURE}. `diff` calls this before anything can fail. */
  useDiffCodes(): void {
    this.#failureCode = DIFF_FAILURE;
  }

  /** Ends the process when standard output fails: silently if its reader, such as `head`, has seen enough and left. */
  readonly onOutputError = (error: NodeJS.ErrnoException): void => {
    if (GONE.includes(error.code)) this.#leave();
    else this.end(error);
  };

  /**
   * Prints what went wrong and ends the process. Text that still waits for standard output is dropped: it is no
   * backup, and its reader may never read it. Only the first error counts: a second one, such as that of a stream
   * that ends because of the first, adds nothing.
   */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error instanceof Interrupted) this.#exit(128 + constants.signals[error.signal], error);
    else {
      const described = describe(error);
      const { kind } = described;
      this.#exit(kind === 'failure' ? this.#failureCode : EXIT_CODES[kind], described);
    }
  }

  /** Ends the process without a word, as SIGPIPE does. */
  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.process.exit(128 + constants.signals.SIGPIPE);
  }

  #exit(exitCode: number, error: Pick<TntarError, 'message' | 'hint'> & { code: string }): void {
    const hidden = (text: string): string => withoutPasswords(text, this.args);
    const message = hidden(error.message);
    const hint = error.hint === undefined ? undefined : hidden(error.hint);
    const { process } = this;
    process.exitCode = exitCode;
    if (this.#isJson) {
      const { code } = error;
      writeEvent(process.stderr, 'error', { message, hint, code, exitCode }, () => process.exit());
      return;
    }
    const lines = [`tntar: ${message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
    process.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''), () =>
      process.exit(),
    );
  }
}
