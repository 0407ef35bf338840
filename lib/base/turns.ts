import { setImmediate } from 'node:timers/promises';

/**
 * Does work that yields where it can be interrupted. At each of these places the process does its other
 * work, such as the handling of a signal.
 *
 * @param signal - ends the work at the next of these places
 * @returns the result of the work
 * @throws the reason of `signal`
 * @example
 * const { count } = await inTurns(countInTurns(bytes));
 */
export async function inTurns<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  try {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    // closes work that did not reach its end
    work.return(undefined as T);
  }
}
