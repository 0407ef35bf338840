/** Where a pipeline says what people should know while it runs. Nothing here decides the outcome. */
export interface Report {
  /** A choice that was made, e.g. which source was picked. */
  note(line: string): void;
  /** Something that is not wrong yet, but that the user will want to know. */
  warn(line: string): void;
  /** Called after each batch, with what has passed so far. */
  progress(state: Progress): void;
}

export interface Progress {
  rows: number;
  /** Raw MessagePack bytes of those rows. */
  bytes: number;
  /** Name of the space at hand. */
  space: string;
}

export const silent: Report = { note: () => {}, warn: () => {}, progress: () => {} };

/** As many things as one line names. */
const SHOWN = 100;

/** Things on one line: of very many the first hundred, and how many more there are. */
export function listOf(things: readonly string[]): string {
  const shown = things.slice(0, SHOWN).join('; ');
  return things.length > SHOWN ? `${shown}; and ${things.length - SHOWN} more` : shown;
}

/** For a hint at names that are there, e.g. `there are users; orders`. */
export function thereAre(names: readonly string[]): string {
  return names.length === 0 ? 'there are none' : `there are ${listOf(names)}`;
}

/** As many characters as a line shows of a name, which may be of 65000 bytes. */
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
