import { Running } from '../cli/running.js';
import type { Result } from '../support/cli.js';
import { PASSWORD, USER } from '../support/server.js';
import { Violation } from './checks.js';
import { LIMIT_MS, SILENCE_S } from './faults.js';
import type { Figures } from './figures.js';

export const COMMANDS = ['dump', 'restore'] as const;
export type Command = (typeof COMMANDS)[number];

const ENV = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
const SILENCE = ['--timeout', `${SILENCE_S}`, '--connect-timeout', `${SILENCE_S}`];

/** What is wrong with a run that nothing has happened to, if anything is. */
export function failure({ code, signal }: Result): string | undefined {
  return code === 0 ? undefined : `exit code ${code ?? signal}, and nothing has happened to it`;
}

/** The command itself, as processes that are counted. */
export class Commands {
  readonly #figures: Figures;

  constructor(figures: Figures) {
    this.#figures = figures;
  }

  dump(address: string): Running {
    this.#figures.dumps++;
    return new Running(['dump', '-q', address, '--source', 'snapshot', ...SILENCE], { env: ENV });
  }

  restore(address: string, archive: Buffer, options: readonly string[]): Running {
    this.#figures.restores++;
    const run = new Running(['restore', '-q', address, ...options, ...SILENCE], { env: ENV });
    run.stdin.end(archive);
    return run;
  }

  verify(archive: Buffer): Promise<Result> {
    const run = new Running(['verify', '-q']);
    run.stdin.end(archive);
    return run.end(LIMIT_MS);
  }

  /** @throws Violation where the dump fails, for nothing happens to it */
  async dumpWhole(address: string): Promise<Buffer> {
    const { stdout } = await this.#succeed('dump', () => this.dump(address));
    return stdout;
  }

  /** @throws Violation where the restore fails, for nothing happens to it */
  restoreWhole(address: string, archive: Buffer, options: readonly string[]): Promise<Result> {
    return this.#succeed('restore', () => this.restore(address, archive, options), archive);
  }

  async #succeed(command: Command, start: () => Running, archive?: Buffer): Promise<Result> {
    const result = await start().end(LIMIT_MS);
    const wrong = failure(result);
    if (wrong !== undefined) {
      const shown = archive === undefined ? {} : { archive };
      throw new Violation(`${command}: ${wrong}\n${result.stderr}`, shown);
    }
    return result;
  }
}
