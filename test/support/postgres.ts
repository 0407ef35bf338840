import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, shell } from './cli.js';

/** Debian's folders of the server's programs, a version each. */
const DEBIAN = '/usr/lib/postgresql';
const USER = 'postgres';

/** The newest version that is installed; empty where the programs are on PATH. */
function programFolder(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest === undefined ? '' : join(DEBIAN, String(newest), 'bin');
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, USER], { encoding: 'utf8' }).stdout);
}

/** A PostgreSQL of its own in a temporary folder, which only a socket in there leads to. */
export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tntar-pg-'));
  #isRunning = false;

  /** Starts one with an empty database. */
  static start(): Postgres {
    const postgres = new Postgres();
    postgres.#start();
    return postgres;
  }

  #start(): void {
    // the server refuses to be run by root
    if (process.getuid?.() === 0) chownSync(this.#folder, idOf('-u'), idOf('-g'));
    process.once('exit', this.stop);
    const data = join(this.#folder, 'data');
    this.#run('initdb', ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N']);
    const options = `-c listen_addresses='' -c fsync=off -k ${this.#folder}`;
    this.#run('pg_ctl', [
      '-D',
      data,
      '-w',
      '-l',
      join(this.#folder, 'log'),
      '-o',
      options,
      'start',
    ]);
    this.#isRunning = true;
  }

  #run(program: string, args: readonly string[]): void {
    const line = [join(programFolder(), program), ...args];
    const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--init-groups'];
    const [command = '', ...rest] = process.getuid?.() === 0 ? [...asUser, ...line] : line;
    // what a server inherits stays open: it gets no pipe
    const { status, error } = spawnSync(command, rest, { cwd: this.#folder, stdio: 'ignore' });
    if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? status}`);
  }

  readonly stop = (): void => {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#run('pg_ctl', ['-D', join(this.#folder, 'data'), '-w', '-m', 'immediate', 'stop']);
    rmSync(this.#folder, { recursive: true, force: true });
  };

  /** `psql` as somebody types it, for a line of {@link shell}; no file of settings is read. */
  get psql(): string {
    return `psql -X -q -h ${this.#folder} -U ${USER}`;
  }

  /** What a query gives: a line a row, with a bar between columns, and `NULL` for null. */
  async query(sql: string): Promise<string[]> {
    const result = await this.run(`${this.psql} -At -P null=NULL -c "$SQL"`, { SQL: sql });
    if (result.code !== 0) throw new Error(`${sql}: ${result.stderr}`);
    return String(result.stdout).trimEnd().split('\n');
  }

  run(line: string, env: NodeJS.ProcessEnv = {}): Promise<Result> {
    return shell(line, { env, timeoutMs: 60_000 });
  }
}
