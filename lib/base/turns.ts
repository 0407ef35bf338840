import { setImmediate } from 'node:timers/promises';

/**
 * Does work that yields where it can be interrupted. At each of these places the process looks at whatever else
 * there is to do, such as a signal.
 *
 * @param signal - ends the work at the next of these places
 * @returns what the work returns
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
    // closes what was not worked to its end
    work.return(undefined as T);
  }
}
