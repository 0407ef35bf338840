import { afterAwake } from '../base/awake.js';
import type { Report } from '../base/report.js';

/**
 * Hands chunks on, and warns once if nobody takes one for `ms` milliseconds. A reader may take any time, but the user
 * should know its cost.
 *
 * @param ms - 0: never
 * @example
 * await pipeline(source, archiveSink(), (chunks) => warnOfStalls(chunks, 60_000, report), output);
 */
export async function* warnOfStalls(
  chunks: AsyncIterable<Buffer>,
  ms: number,
  report: Report,
): AsyncGenerator<Buffer> {
  let isQuiet = ms === 0;
  const warn = (): void => {
    isQuiet = true;
    report.warn(
      `the output was not read for ${ms / 1000} s; the server keeps its read view open meanwhile`,
    );
  };
  for await (const chunk of chunks) {
    const cancel = isQuiet ? () => {} : afterAwake(ms, warn);
    try {
      yield chunk;
    } finally {
      cancel();
    }
  }
}
