import { jsonText, type Progress } from '../../lib/base/report.js';
import type { Totals } from '../../lib/flow/totals.js';
import type { RestoreResult } from '../../lib/pipelines/restore.js';
import type { RunReport } from './stderr-report.js';
import type { Output } from './surroundings.js';

const INTERVAL_MS = 500;

/** The kinds of lines of `--progress json`. */
type Event = 'note' | 'warning' | 'progress' | 'summary' | 'error';

/** Writes one line of JSON to stderr, with the kind of event first. */
export function writeEvent(stderr: Output, event: Event, fields: object, done?: () => void): void {
  stderr.write(`${jsonText({ event, ...fields })}\n`, () => done?.());
}

/** Reports on stderr for programs: each line is a JSON object. */
export class JsonReport implements RunReport {
  readonly #isQuiet: boolean;
  readonly #started = performance.now();
  #shownAt = performance.now();

  readonly #stderr: Output;

  /** @param isQuiet - warnings and errors only */
  constructor(stderr: Output, isQuiet: boolean) {
    this.#stderr = stderr;
    this.#isQuiet = isQuiet;
  }

  note(line: string): void {
    this.#write('note', { line });
  }

  warn(line: string): void {
    writeEvent(this.#stderr, 'warning', { line });
  }

  progress(state: Progress): void {
    const now = performance.now();
    if (now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    const seconds = (now - this.#started) / 1000;
    this.#write('progress', { ...state, seconds, rowsPerSecond: state.rows / seconds });
  }

  summary(done: string, totals: Totals): void {
    this.#write('summary', { done, ...totals });
  }

  schemaSummary(done: string, { definitions, archiveBytes, seconds }: RestoreResult): void {
    this.#write('summary', { done, definitions, archiveBytes, seconds });
  }

  clear(): void {}

  #write(event: Event, fields: object): void {
    if (!this.#isQuiet) writeEvent(this.#stderr, event, fields);
  }
}
