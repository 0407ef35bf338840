import { EventEmitter } from 'node:events';

/**
 * Receives what people should know while a pipeline runs. None of these functions decides the outcome, but an error
 * that one of them throws ends the run.
 *
 * @example
 * const report: Report = {
 *   note: (line) => console.error(line),
 *   warn: (line) => console.error(`warning: ${line}`),
 *   progress: ({ rows }) => bar.update(rows),
 * };
 */
export interface Report {
  /** A choice that was made, e.g. which source was picked. */
  note(line: string): void;
  /** Something that is not wrong yet, but that the user will want to know. */
  warn(line: string): void;
  /** Called for each batch, of some 256 KiB to 2 MiB, with what has passed so far. */
  progress(state: Progress): void;
}

/** The progress of a pipeline. */
export interface Progress {
  /** Rows of users' spaces so far; definitions are not counted. */
  rows: number;
  /** Raw MessagePack bytes of those rows. */
  bytes: number;
  /** The name of the current space. */
  space: string;
  /**
   * How much of the whole that is, 0 to 1: of the bytes of an archive, or of the rows that a server counted
   * before. Absent if the total is not known.
   */
  done?: number;
}

/** The events of {@link ReportEvents}. */
export interface ReportEventMap {
  progress: [state: Progress];
  note: [line: string];
  warning: [line: string];
}

/**
 * A report for programs that listen to events: it emits `progress`, `note` and `warning` while a pipeline
 * runs. It may be used for several, one after the other.
 *
 * @example
 * const report = new ReportEvents();
 * report.on('progress', ({ space, rows, bytes }) => console.error(space, rows, bytes));
 * report.once('warning', () => process.exitCode = 1);
 * await dump(server, output, { report });
 */
export class ReportEvents extends EventEmitter<ReportEventMap> implements Report {
  note(line: string): void {
    this.emit('note', line);
  }

  warn(line: string): void {
    this.emit('warning', line);
  }

  progress(state: Progress): void {
    this.emit('progress', state);
  }
}

export const silent: Report = { note: () => {}, warn: () => {}, progress: () => {} };

/** The most names in one line. */
const SHOWN = 10;
/** The number for lines that people work through, or that are a record. */
const LISTED = 100;

function first(things: readonly string[], count: number): string {
  const shown = things.slice(0, count).join('; ');
  return things.length > count ? `${shown}; and ${things.length - count} more` : shown;
}

/** Returns the first ten names, and the number of the others. */
export function listOf(things: readonly string[]): string {
  return first(things, SHOWN);
}

/**
 * Returns the first hundred names, and the number of the others: for problems that are solved one by
 * one, for removed objects, and for the notes in an archive.
 */
export function longListOf(things: readonly string[]): string {
  return first(things, LISTED);
}

/** @example counted(2, 'grant') // '2 grants' */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Returns a hint with existing names, e.g. `there are users; orders`. */
export function thereAre(names: readonly string[]): string {
  return names.length === 0 ? 'there are none' : `there are ${listOf(names)}`;
}

/** The number of characters of a name that a line shows. A name may have 65000 bytes. */
const SHOWN_CHARACTERS = 200;

/** @example shorten('x'.repeat(1000)) // 200 times 'x', and '…' */
export function shorten(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return text;
  return `${[...text.slice(0, 2 * SHOWN_CHARACTERS)].slice(0, SHOWN_CHARACTERS).join('')}…`;
}

/**
 * A name as lines show it.
 *
 * @example quoted('users') // "'users'"
 */
export function quoted(name: unknown): string {
  return `'${shorten(String(name))}'`;
}

/**
 * Characters that JSON leaves as they are, and that a terminal may obey: DEL and C1, the ends of lines and
 * paragraphs, and what overrides or isolates the direction of text.
 */
const CONTROLS = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * JSON without any control character: those that JSON itself leaves as they are get escaped, too, which makes no
 * other value of it.
 *
 * @example
 * jsonText('\u009b2J'); // '"\\u009b2J"'
 */
export function jsonText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, null, indent) ?? 'null').replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
