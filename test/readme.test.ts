import { equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { shell } from './support/cli.js';
import { fingerprint } from './support/fingerprint.js';
import { PASSWORD, startServer, type TestServer } from './support/server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

const DATA = `
  box.schema.user.grant('guest', 'super')
  local space = box.schema.space.create('users')
  space:create_index('primary')
  for i = 1, 100 do space:insert{i, 'user ' .. i} end`;

/** The code blocks of one language, in their order. */
function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}

describe('README', () => {
  let folder: string;
  let db1: TestServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-readme-'));
    db1 = await startServer({ lua: DATA });
  });

  after(async () => {
    await db1.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has examples for the shell that work as they are typed', async () => {
    ok(blocks('sh').length >= 3);
    for (const block of blocks('sh')) {
      const db2 = await startServer();
      try {
        const command = block
          .replaceAll('db1:3301', db1.address)
          .replaceAll('db2:3301', db2.address);
        const env = { TT_CLI_PASSWORD: PASSWORD };
        const result = await shell(`set -e\n${command}`, { cwd: folder, env });
        equal(result.code, 0, `${block}\n${result.stderr}`);
        if (block.includes('restore')) {
          equal((await fingerprint(db2))['users']?.hash, (await fingerprint(db1))['users']?.hash);
        }
      } finally {
        await db2.stop();
      }
    }
  });

  it('has an example for the library that works as it is written', async () => {
    const [example = ''] = blocks('ts');
    const project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    symlinkSync(ROOT, join(project, 'node_modules', 'tntar'));
    const script = `${example.replaceAll('db1:3301', db1.address)}\nconsole.log(rows);\n`;
    writeFileSync(join(project, 'example.mjs'), script);
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], {
      cwd: project,
    });
    match(stdout, /^100\n$/);
    ok(existsSync(join(project, 'backup.tar.zst')));
  });

  it('links to files that exist', () => {
    for (const [, target = ''] of README.matchAll(/\]\(([^)#]+)\)/g)) {
      ok(existsSync(join(ROOT, target)), target);
    }
  });

  it('has the exit codes that the command has', async () => {
    const { stdout } = await shell('tntar --help');
    const inReadme = [...README.matchAll(/^\| (\d|128\+n) +\| (.*?) *\|$/gm)];
    equal(inReadme.length, 7);
    for (const [, code = '', meaning = ''] of inReadme) {
      ok(stdout.toString().includes(`${code}  ${meaning}`), `${code} ${meaning}`);
    }
  });
});
