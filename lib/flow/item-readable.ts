import { addAbortSignal, Readable } from 'node:stream';
import type { BackupItem } from '../backup/item.js';

/** A stream in object mode that gives the items of a backup. */
export type ItemReadable = AsyncIterable<BackupItem> & Readable;

/**
 * Makes a stream of the items that `make` yields. If the stream is destroyed before its end, its signal is aborted, and
 * its input is closed, also while it is silent.
 *
 * @param signal - destroys the stream
 * @example
 * const items = stoppable((signal) => readArchive(asBuffers(input, signal)));
 */
export function stoppable(
  make: (signal: AbortSignal) => AsyncGenerator<BackupItem>,
  signal?: AbortSignal,
): ItemReadable {
  const stop = new AbortController();
  return itemReadable(make(stop.signal), () => stop.abort(), signal);
}

/**
 * A source as a stream, which is one item ahead of its reader. What `items` throw is the stream's error.
 *
 * @param interrupt - called if the stream is destroyed before the end of `items`, which may be waiting
 *   for something: has to make them wait no longer
 * @param signal - destroys the stream
 */
export function itemReadable(
  items: AsyncGenerator<BackupItem>,
  interrupt: () => void,
  signal?: AbortSignal,
): ItemReadable {
  let isOver = false;
  const stream = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      items.next().then(
        ({ done, value }) => {
          isOver = done === true;
          this.push(isOver ? null : value);
        },
        (error: Error) => {
          isOver = true;
          this.destroy(error);
        },
      );
    },
    destroy(error, callback) {
      if (!isOver) {
        interrupt();
        // The interruption is not an error.
        items.return(undefined).catch(() => {});
      }
      callback(error);
    },
  });
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}
