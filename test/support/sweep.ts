import { randomInt } from 'node:crypto';

/** Prime to 8, so that a sweep that flips bit `at % 8` of byte `at` flips each of the eight bits. */
const STEP = 5;
const FIRST = Number(process.env['SEED'] ?? randomInt(STEP)) % STEP;

/**
 * Returns the numbers below a length that a sweep tries: one in five, from a random first one on. `SWEEP=all` tries all
 * numbers; `SEED=n` starts at the same one again.
 *
 * @param edges - numbers that are always tried
 *
 * @example
 * for (const cut of sweep(bytes.length)) throws(() => parse(bytes.subarray(0, cut)), `cut at ${cut}`);
 */
export function sweep(length: number, edges: readonly number[] = []): number[] {
  const all = Array.from({ length }, (_, i) => i);
  return process.env['SWEEP'] === 'all'
    ? all
    : all.filter((i) => i % STEP === FIRST || edges.includes(i));
}
