import progress from 'cli-progress';

const SIZE = 24;
const BAR: progress.Options = {
  barsize: SIZE,
  barCompleteString: '█'.repeat(SIZE),
  barIncompleteString: '░'.repeat(SIZE),
  barGlue: '',
};
const TIME: progress.Options = { autopaddingChar: '0' };

/**
 * How far something has come, and how long it will still take.
 *
 * @param done - from 0 to 1
 * @param seconds - that it has taken so far
 * @example
 * showBar(0.5, 65); // '████████████░░░░░░░░░░░░  50%, 01m05s left'
 */
export function showBar(done: number, seconds: number): string {
  const bar = progress.Format.BarFormat(done, BAR);
  const percent = `${bar} ${`${Math.floor(done * 100)}%`.padStart(4)}`;
  if (done === 0) return percent;
  const left = Math.ceil((seconds / done) * (1 - done));
  return `${percent}, ${progress.Format.TimeFormat(left, TIME, 1)} left`;
}
