import { setImmediate } from 'node:timers/promises';

/**
 * Does work that yields where it can be interrupted. At each of these places the process looks at whatever else
 * there is to do, such as a signal.
 *
 * @returns what the work returns
 * @example
 * const { count } = await inTurns(countInTurns(bytes));
 */
export async function inTurns<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await setImmediate();
  }
}
