import { Session } from 'node:inspector/promises';

/** For each script, by its URL: which of its bytes were executed. */
export type Executed = ReadonlyMap<string, Uint8Array>;

/**
 * What of some scripts this thread executes, as V8 counts it itself: nothing is instrumented.
 *
 * @example
 * const coverage = await Coverage.of('file:///app/dist/lib/');
 * run(input);
 * coverage.add(await coverage.take()); // bytes of code that were never executed before
 */
export class Coverage {
  readonly #session = new Session();
  readonly #scripts: string;
  readonly #executed = new Map<string, Uint8Array>();
  /** Bytes of code that were executed so far. */
  bytes = 0;

  private constructor(scripts: string) {
    this.#scripts = scripts;
  }

  /** @param scripts - how the URLs of the scripts begin that count */
  static async of(scripts: string): Promise<Coverage> {
    const coverage = new Coverage(scripts);
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', {
      callCount: true,
      detailed: true,
    });
    return coverage;
  }

  /** What was executed since the last call. */
  async take(): Promise<Executed> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const executed = new Map<string, Uint8Array>();
    for (const { url, functions } of result) {
      if (!url.startsWith(this.#scripts)) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      const bytes = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
      // each range stands behind those that it is in
      for (const { startOffset, endOffset, count } of ranges) {
        bytes.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
      executed.set(url, bytes);
    }
    return executed;
  }

  /** Tells whether any of the code was not executed before. */
  isNew(executed: Executed): boolean {
    for (const [url, bytes] of executed) {
      const known = this.#executed.get(url);
      for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] === 1 && known?.[i] !== 1) return true;
      }
    }
    return false;
  }

  add(executed: Executed): void {
    for (const [url, bytes] of executed) {
      const known = new Uint8Array(Math.max(bytes.length, this.#executed.get(url)?.length ?? 0));
      known.set(this.#executed.get(url) ?? []);
      for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] === 0 || known[i] === 1) continue;
        known[i] = 1;
        this.bytes++;
      }
      this.#executed.set(url, known);
    }
  }
}
