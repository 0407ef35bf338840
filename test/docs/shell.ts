import { equal, ok } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandFolder, shell } from '../support/cli.js';
import { Postgres } from '../support/postgres.js';
import { PASSWORD, startServer, type TestServer } from '../support/server.js';
import { type Block, type Page, runnable } from './pages.js';

/** The database that the pages call `db1`. */
const DATA = `
  box.schema.user.grant('guest', 'super')
  box.schema.user.create('ann', {password = 'ann'})
  local space = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'},
    {'email', 'string', is_nullable = true}}})
  space:create_index('primary')
  box.schema.space.create('users_log'):create_index('primary')
  for i = 1, 100 do
    space:insert{i, 'user ' .. i, 'user' .. i .. '@example.org'}
    box.space.users_log:insert{i}
  end`;

/** Stands in for ssh: runs the command on this machine. */
const SSH = '#!/bin/sh\nshift\nexec "$@"\n';

/** The servers and the folder that the blocks of one page work with. */
class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'tntar-docs-'));
  readonly #programs = join(this.folder, '.programs');
  /** Names that pages use, and the addresses that they stand for. */
  readonly #addresses = new Map<string, string>();

  constructor(db1: TestServer) {
    this.#addresses.set('db1:3301', db1.address).set('localhost:3301', db1.address);
    mkdirSync(this.#programs);
    this.#addProgram('ssh', SSH);
  }

  #addProgram(name: string, script: string): void {
    writeFileSync(join(this.#programs, name), script, { mode: 0o755 });
  }

  /** Starts a PostgreSQL with an empty database `shop`, which `psql` then finds by itself. */
  async startPostgres(): Promise<Postgres> {
    const postgres = Postgres.start();
    await postgres.query('CREATE DATABASE shop');
    const path = process.env['PATH'] ?? '';
    this.#addProgram('psql', `#!/bin/sh\nPATH='${path}' exec ${postgres.psql} "$@"\n`);
    return postgres;
  }

  /** Runs the block as it is typed, with a new empty database `db2` if it names one. */
  async run(block: Block): Promise<void> {
    const lines = [...block.before, block.text, ...block.after];
    const db2 = lines.some((line) => line.includes('db2:3301')) ? await startServer() : undefined;
    if (db2 !== undefined) this.#addresses.set('db2:3301', db2.address);
    try {
      for (const line of block.before) equal(...(await this.#codeOf(line, 0)));
      const { code, output } = await this.#shell(`set -e\n${block.text}`);
      equal(code, block.exitCode, `${block.text}\n${output}`);
      expectPrinted(block, output);
      for (const line of block.after) equal(...(await this.#codeOf(line, 0)));
    } finally {
      await db2?.stop();
    }
  }

  async #codeOf(line: string, expected: number): Promise<[number | null, number, string]> {
    const { code, output } = await this.#shell(`set -e\n${line}`);
    return [code, expected, `${line}\n${output}`];
  }

  async #shell(text: string): Promise<{ code: number | null; output: string }> {
    let command = text;
    for (const [name, address] of this.#addresses) command = command.replaceAll(name, address);
    const PATH = [this.#programs, commandFolder(), process.env['PATH']].join(delimiter);
    const env = { TT_CLI_PASSWORD: PASSWORD, PATH, HOME: this.folder, TMPDIR: tmpdir() };
    const result = await shell(command, { cwd: this.folder, env });
    return { code: result.code, output: `${result.stdout}${result.stderr}` };
  }
}

/** Compares the lines that the page shows with those that were printed; `…` stands for any text. */
function expectPrinted({ printed }: Block, output: string): void {
  for (const line of printed) {
    const pattern = line
      .split('…')
      .map((part) =>
        part
          .trim()
          .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replace(/ +/g, ' +'),
      )
      .join('.*');
    ok(
      new RegExp(`^(tntar: )?\\s*${pattern}\\s*$`, 'm').test(output),
      `${line}\nis not in\n${output}`,
    );
  }
}

/**
 * Defines a test for each page: its blocks of shell run one after the other, in a folder of the page, against
 * a server with a small database.
 */
export function testShellBlocks(pages: readonly Page[]): void {
  let db1: TestServer;
  before(async () => {
    db1 = await startServer({ lua: DATA });
  });
  after(() => db1.stop());

  for (const page of pages) {
    const blocks = runnable(page, 'sh');
    if (blocks.length === 0) continue;
    it(`runs every block of ${page.path} as it is typed`, async () => {
      const bench = new Bench(db1);
      const needsPostgres = blocks.some(({ text }) => text.includes('psql'));
      const postgres = needsPostgres ? await bench.startPostgres() : undefined;
      try {
        for (const block of blocks) await bench.run(block);
      } finally {
        postgres?.stop();
        rmSync(bench.folder, { recursive: true, force: true });
      }
    });
  }
}
