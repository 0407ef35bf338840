import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { type Result, spawnTntar } from '../support/cli.js';

/** Its output is looked at when it comes, anything else as often as this. */
const POLL_MS = 5;

/** How a run is watched. */
export interface RunningOptions {
  env?: NodeJS.ProcessEnv;
  /** False: nobody reads its stdout until {@link Running.read}. */
  read?: boolean;
}

/**
 * A `tntar` that a test does something to while it runs. It must end by itself within a time that the
 * test states.
 */
export class Running {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #title: string;
  readonly #stdout: Buffer[] = [];
  #result: Pick<Result, 'code' | 'signal'> | undefined;
  #wake: () => void = () => {};
  /** What it has printed on stderr so far. */
  stderr = '';
  /** Bytes that it has written to stdout so far. */
  bytes = 0;

  constructor(args: readonly string[], { env, read = true }: RunningOptions = {}) {
    this.#title = `tntar ${args.join(' ')}`;
    const child = spawnTntar(args, env === undefined ? {} : { env });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    child.stdin.on('error', () => {}); // it may end before it has read all
    child.once('close', (code, signal) => {
      this.#result = { code, signal };
      this.#wake();
    });
    if (read) this.read();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its standard input, open until the test ends it. */
  get stdin(): NodeJS.WritableStream {
    return this.#child.stdin;
  }

  read(): void {
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout.push(chunk);
      this.bytes += chunk.length;
      this.#wake();
    });
  }

  /** Goes away, as a reader does that a signal ends. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits while it runs, until something is reached. */
  async until(isReached: () => boolean, timeoutMs = 10_000): Promise<void> {
    await this.#wait(isReached, timeoutMs, isReached);
    if (!isReached()) throw new Error(`${this.#title} ended too early\n${this.stderr}`);
  }

  /** Waits for its end, and kills it where that does not come in time. */
  async end(timeoutMs: number): Promise<Result> {
    await this.#wait(() => this.#result !== undefined, timeoutMs);
    const { code, signal } = this.#result!;
    return { code, signal, stdout: Buffer.concat(this.#stdout), stderr: this.stderr };
  }

  async #wait(
    isReached: () => boolean,
    timeoutMs: number,
    what: unknown = 'its end',
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isReached() && this.#result === undefined) {
      if (performance.now() > deadline) {
        this.kill('SIGKILL');
        throw new Error(`${this.#title}: ${what} did not come in ${timeoutMs} ms\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
    }
  }
}
