import progress from 'cli-progress';
import stringWidth from 'string-width';

/** The progress of a run, in words that are ready to be shown. */
export interface ProgressWords {
  /** The share that is done, from 0 to 1; undefined if the total is unknown. */
  done: number | undefined;
  /** The time since the start. */
  seconds: number;
  rows: string;
  bytes: string;
  rate: string;
  space: string;
}

const TIME: progress.Options = { autopaddingChar: '0' };
/** Columns that are kept for the name of a space: other words are dropped first. */
const NAME_COLUMNS = 16;

function percentOf(done: number): string {
  return `${Math.floor(done * 100)}%`;
}

function barOf(done: number, size: number): string {
  const bar = progress.Format.BarFormat(done, {
    barsize: size,
    barCompleteString: '█'.repeat(size),
    barIncompleteString: '░'.repeat(size),
    barGlue: '',
  });
  return `${bar} ${percentOf(done).padStart(4)}`;
}

function timeLeft(done: number, seconds: number): string[] {
  if (done === 0) return [];
  const left = Math.ceil((seconds / done) * (1 - done));
  return [`${progress.Format.TimeFormat(left, TIME, 1)} left`];
}

/** Returns the texts that can stand before the name of the space, longest first. */
function headings({ done, seconds, rows, bytes, rate }: ProgressWords, hasBar: boolean): string[] {
  const counts = [[rows, bytes, rate], [rows, bytes], [rows]].map((words) => words.join(', '));
  if (done === undefined) return counts;
  const percent = percentOf(done);
  const left = timeLeft(done, seconds);
  const bars = hasBar ? [24, 10].map((size) => barOf(done, size)) : [];
  const lines = [
    ...bars.flatMap((bar, i) => counts.slice(i, 2).map((words) => [bar, ...left, words])),
    ...counts.slice(0, 2).map((words) => [percent, ...left, words]),
    ...counts.map((words) => [percent, words]),
    [percent],
  ];
  return lines.map((words) => words.join(', '));
}

const segmenter = new Intl.Segmenter();
const charactersOf = (text: string): string[] =>
  [...segmenter.segment(text)].map(({ segment }) => segment);

/** Counts how many characters fit, from the first one on. */
function countFitting(characters: readonly string[], columns: number): number {
  let width = 0;
  const end = characters.findIndex((character) => {
    width += stringWidth(character);
    return width > columns;
  });
  return end < 0 ? characters.length : end;
}

/**
 * Cuts the middle out of a text that is wider than a terminal may show it.
 *
 * @param mark - what stands in place of the middle
 * @example cutTo('a_very_long_name', 9, '…'); // 'a_ve…name'
 */
export function cutTo(text: string, columns: number, mark: string): string {
  if (stringWidth(text) <= columns) return text;
  const characters = charactersOf(text);
  const room = columns - stringWidth(mark);
  if (room < 2) return characters.slice(0, countFitting(characters, columns)).join('');
  const start = characters.slice(0, countFitting(characters, Math.ceil(room / 2))).join('');
  const backwards = characters.toReversed();
  const end = backwards.slice(0, countFitting(backwards, room - stringWidth(start)));
  return start + mark + end.reverse().join('');
}

/**
 * Returns the progress of a run as one line of a terminal. Other words are dropped to make room for the name of
 * the space.
 *
 * @param columns - the width that the line may have
 * @param isPlain - no bar and ASCII only
 * @example
 * progressLine({ done: 0.5, seconds: 65, rows: '10 rows', bytes: '1.0 kB', rate: '1 rows/s', space: 'users' }, 79, false);
 * // "████████████░░░░░░░░░░░░  50%, 01m05s left, 10 rows, 1.0 kB, in 'users'"
 */
export function progressLine(words: ProgressWords, columns: number, isPlain: boolean): string {
  const space = isPlain ? words.space.replace(/[^\x20-\x7e]/gu, '?') : words.space;
  const mark = isPlain ? '...' : '…';
  const wanted = Math.min(stringWidth(space), NAME_COLUMNS);
  const lines = headings(words, !isPlain);
  const roomAfter = (heading: string): number => columns - stringWidth(`${heading}, in ''`);
  const heading = lines.find((line) => roomAfter(line) >= wanted) ?? lines.at(-1)!;
  const room = roomAfter(heading);
  if (room < 1) return heading.slice(0, Math.max(0, columns));
  return `${heading}, in '${cutTo(space, room, mark)}'`;
}
