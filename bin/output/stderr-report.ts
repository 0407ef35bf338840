import { type Progress, quoted, type Report } from '../../lib/base/report.js';
import type { Totals } from '../../lib/flow/totals.js';
import type { RestoreResult } from '../../lib/pipelines/restore.js';
import type { ProgressWords, progressLine } from './progress-bar.js';
import type { Output, Surroundings } from './surroundings.js';
import { hasControls, hasUnicode } from './terminal.js';

const TERMINAL_INTERVAL_MS = 200;
/** The time between two lines of progress in a log. */
const LOG_INTERVAL_MS = 10_000;
const CLEAR_LINE = '\r\x1b[K';

/** @example formatBytes(142_000_000); // '142.0 MB' */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** @example formatCount(1234567); // '1,234,567' */
export function formatCount(count: number): string {
  // Not toLocaleString, which takes some 20 ms to load its tables.
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names come from a server or an archive: nothing in them may move the cursor of a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (char) =>
    JSON.stringify(char)
      .slice(1, -1)
      .replace(/^[^\\].*/u, '?'),
  );
}

/** A copy has none. */
const archive = (bytes: number, more = ''): string =>
  bytes === 0 ? '' : ` (archive ${formatBytes(bytes)}${more})`;

/** Returns the line of progress for a log, as long as it has to be. */
function logLine({ done, rows, bytes, rate, space }: ProgressWords): string {
  const percent = done === undefined ? [] : [`${Math.floor(done * 100)}%`];
  return [...percent, rows, bytes, rate, `in ${quoted(space)}`].join(', ');
}

/** Returns the same for a terminal, until the bar is loaded. */
const simpleLine: typeof progressLine = (words, columns) => logLine(words).slice(0, columns);

/** A report that also has the last word of a run. */
export interface RunReport extends Report {
  /** The last line of a run that went well, e.g. `dumped 12 spaces with …`. */
  summary(done: string, totals: Totals): void;
  /** The same for a restore that was to write no rows. */
  schemaSummary(done: string, restored: RestoreResult): void;
  /** Takes the progress line away, before somebody else writes. */
  clear(): void;
}

/** The beginning of every line except the one that is written over. */
const PREFIX = 'tntar: ';
const DEFAULT_COLUMNS = 80;

/** Reports on stderr: one line that is written over on a terminal, plain lines elsewhere. */
export class StderrReport implements RunReport {
  readonly #isQuiet: boolean;
  readonly #stderr: Output;
  readonly #isTerminal: boolean;
  /** True for a log, and for a terminal that can show no more than plain lines. */
  readonly #isPlain: boolean;
  readonly #started = performance.now();
  #shownAt = performance.now();
  #hasLine = false;
  /** Loaded before a terminal shows the first progress. */
  #progressLine: typeof progressLine | undefined;

  /** @param isQuiet - warnings and errors only */
  constructor({ stderr, env }: Surroundings, isQuiet: boolean) {
    this.#stderr = stderr;
    this.#isTerminal = stderr.isTTY === true;
    this.#isPlain = !this.#isTerminal || !hasControls(env) || !hasUnicode(env);
    this.#isQuiet = isQuiet;
    if (this.#isTerminal && !isQuiet) void this.#load();
  }

  note(line: string): void {
    if (!this.#isQuiet) this.#print(line);
  }

  warn(line: string): void {
    this.#print(`warning: ${line}`);
  }

  progress({ rows, bytes, space, done }: Progress): void {
    const now = performance.now();
    const interval = this.#isPlain ? LOG_INTERVAL_MS : TERMINAL_INTERVAL_MS;
    if (this.#isQuiet || now - this.#shownAt < interval) return;
    this.#shownAt = now;
    const seconds = (now - this.#started) / 1000;
    const words: ProgressWords = {
      done,
      seconds,
      rows: `${formatCount(rows)} rows`,
      bytes: formatBytes(bytes),
      rate: `${formatCount(rows / seconds)} rows/s`,
      space: printable(space),
    };
    if (this.#isTerminal) this.#show(words);
    else this.#print(logLine(words));
  }

  summary(done: string, { spaces, rows, bytes, archiveBytes, seconds }: Totals): void {
    const ratio = archiveBytes > 0 ? `, ratio ${(bytes / archiveBytes).toFixed(1)}` : '';
    this.note(
      `${done} ${plural(spaces, 'space')} with ${plural(rows, 'row')}, ${formatBytes(bytes)}` +
        `${archive(archiveBytes, ratio)}, in ${seconds.toFixed(1)} s`,
    );
  }

  schemaSummary(done: string, { definitions, archiveBytes, seconds }: RestoreResult): void {
    this.note(
      `${done} ${plural(definitions, 'definition')} and no rows` +
        `${archive(archiveBytes)}, in ${seconds.toFixed(1)} s`,
    );
  }

  clear(): void {
    if (this.#hasLine) this.#stderr.write(CLEAR_LINE);
    this.#hasLine = false;
  }

  /** Shows progress on a terminal. The last column stays free, or some terminals begin a new line. */
  #show(words: ProgressWords): void {
    const columns = (this.#stderr.columns || DEFAULT_COLUMNS) - 1;
    const line = this.#progressLine ?? simpleLine;
    if (this.#isPlain) {
      this.#print(line(words, columns - PREFIX.length, true));
      return;
    }
    this.#stderr.write(CLEAR_LINE + line(words, columns, false));
    this.#hasLine = true;
  }

  /** Loads the bar. Its libraries take a while to load, and the run goes on meanwhile. */
  async #load(): Promise<void> {
    const bar = await import('./progress-bar.js');
    this.#progressLine = bar.progressLine;
  }

  #print(line: string): void {
    this.clear();
    this.#stderr.write(`${PREFIX}${printable(line)}\n`);
  }
}
