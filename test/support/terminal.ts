import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { commandFolder } from './cli.js';

const TIMEOUT_MS = 8_000;

const terminals = new Set<ChildProcessWithoutNullStreams>();
process.on('exit', () => {
  for (const child of terminals) child.kill('SIGKILL');
});

/** A finished session at a terminal. */
export interface SessionResult {
  code: number | null;
  /** All that the terminal showed, echoes of the keys included. */
  shown: string;
}

/**
 * A line of bash that runs at a pseudo-terminal of its own, which is its standard input, output and
 * error wherever the line does not redirect them. `script` of Debian's essential package bsdutils
 * holds the terminal.
 *
 * @example
 * const session = new TerminalSession('tntar dump admin@db1 > backup.tar.zst');
 * await session.see(/Password/);
 * session.type('secret\r');
 * const { code } = await session.end();
 */
export class TerminalSession {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<number | null>;
  readonly #command: string;
  #shown = '';
  #onShown: () => void = () => {};

  constructor(command: string, options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    this.#command = command;
    const PATH = [commandFolder(), process.env['PATH']].join(delimiter);
    const own = { TT_CLI_USERNAME: undefined, TT_CLI_PASSWORD: undefined, SHELL: '/bin/bash' };
    const child = spawn(
      'script',
      ['--quiet', '--flush', '--return', '--echo', 'always', '--command', command, '/dev/null'],
      { env: { ...process.env, ...own, PATH, ...options.env }, cwd: options.cwd },
    );
    this.#child = child;
    terminals.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
      this.#onShown();
    });
    child.stdin.on('error', () => {}); // keys after the end
    this.#closed = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        terminals.delete(child);
        resolve(code);
        this.#onShown();
      });
    });
  }

  /** All that the terminal has shown so far. */
  get shown(): string {
    return this.#shown;
  }

  /** Waits until the terminal shows `pattern`. */
  async see(pattern: RegExp): Promise<void> {
    const shows = new Promise<void>((resolve, reject) => {
      this.#onShown = () => {
        if (pattern.test(this.#shown)) resolve();
        else if (!terminals.has(this.#child)) reject(new Error('the command ended'));
      };
      this.#onShown();
    });
    await this.#inTime(shows, `show ${pattern}`);
  }

  /** Presses keys: `\r` is Enter, `\x03` is Ctrl-C, `\x04` is Ctrl-D. */
  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits for the end of the command. */
  async end(): Promise<SessionResult> {
    const code = await this.#inTime(this.#closed, 'end');
    return { code, shown: this.#shown };
  }

  async #inTime<T>(event: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('too late')), TIMEOUT_MS);
    });
    try {
      return await Promise.race([event, late]);
    } catch (error) {
      this.#child.kill('SIGKILL'); // the terminal hangs up on the command
      const reason = (error as Error).message;
      throw new Error(`${this.#command}: did not ${what} (${reason}), but: ${this.#shown}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
