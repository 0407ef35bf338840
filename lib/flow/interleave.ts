/** An item of one of several streams. */
export interface Interleaved<T> {
  /** The position of its stream, from 0. */
  index: number;
  item: T;
}

type Arrival<T> = { index: number } & ({ result: IteratorResult<T> } | { error: unknown });

/**
 * Yields the items of several streams as they come. One item of each stream is asked for at a time, so a slow stream
 * does not stop the others, and a fast one does not run ahead of the reader.
 *
 * @throws the error of the first stream that fails; all others are then returned
 * @example
 * for await (const { index, item } of interleaved(shards)) await writer.add(index + 1, item);
 */
export async function* interleaved<T>(
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<Interleaved<T>> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const arrived: Arrival<T>[] = [];
  let wake = (): void => {};
  const arrive = (arrival: Arrival<T>): void => {
    arrived.push(arrival);
    wake();
  };
  const ask = (index: number): void => {
    iterators[index]!.next().then(
      (result) => arrive({ index, result }),
      (error: unknown) => arrive({ index, error }),
    );
  };
  const open = new Set(iterators.keys());
  for (const index of open) ask(index);
  try {
    while (open.size > 0) {
      const arrival = arrived.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const { index } = arrival;
      if ('error' in arrival) {
        open.delete(index);
        throw arrival.error;
      }
      if (arrival.result.done === true) open.delete(index);
      else {
        yield { index, item: arrival.result.value };
        ask(index);
      }
    }
  } finally {
    // a stream that waits for its source ends when that is closed, so nobody waits for it here
    for (const index of open) void iterators[index]!.return?.().catch(() => {});
  }
}
