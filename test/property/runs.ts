import { randomInt } from 'node:crypto';
import fc from 'fast-check';

const given = (name: string): number | undefined =>
  process.env[name] === undefined ? undefined : Number(process.env[name]);

/** `SEED=n` repeats a run; the title of each test tells the seed of its run. */
const SEED = given('SEED') ?? randomInt(2 ** 31);
/** `RUNS=n` tries every property n times, however long that takes. */
const RUNS = given('RUNS');

/** `MINUTES=n` tries every property for n minutes. */
const MINUTES = given('MINUTES');

/** What a property may take, where nobody asked for a number of runs; then it is tried less often. */
const MAX_SECONDS = 40;
/** Behind that, the last try may still be under way, or the smallest values be looked for. */
const TIMEOUT_MS = 1000 * (MAX_SECONDS + 20);

/**
 * A test that tries a property with random values. A failure says the seed, and the smallest values
 * that were found to make the property fail.
 *
 * @param runs - where `RUNS` says nothing else
 * @param end - looks at what all the tries, so many of them, have come to
 * @example
 * holds('a number is less than the next', 1000, fc.property(fc.nat(), (n) => n < n + 1));
 */
export function holds<T>(
  title: string,
  runs: number,
  property: fc.IProperty<T> | fc.IAsyncProperty<T>,
  end: (tries: number) => void = () => {},
): void {
  it(title, async function () {
    this.timeout(RUNS === undefined && MINUTES === undefined ? TIMEOUT_MS : 0);
    const seconds = MINUTES === undefined ? MAX_SECONDS : 60 * MINUTES;
    const details = await fc.check(property as fc.IAsyncProperty<T>, {
      seed: SEED,
      numRuns: RUNS ?? (MINUTES === undefined ? runs : Number.MAX_SAFE_INTEGER),
      ...(RUNS === undefined ? { interruptAfterTimeLimit: 1000 * seconds } : {}),
    });
    if (this.test !== undefined) this.test.title += ` (${details.numRuns} times, SEED=${SEED})`;
    if (details.failed) {
      throw new Error(`SEED=${SEED}\n${await fc.asyncDefaultReportMessage(details)}`, {
        cause: details.errorInstance,
      });
    }
    end(details.numRuns);
  });
}
