import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shell } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { pageAt, ROOT, runnable } from './pages.js';

const PAGE = pageAt('docs/reference/library.md');
const DATA = `
  box.schema.user.grant('guest', 'super')
  local space = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
  space:create_index('primary')
  box.schema.space.create('users_log'):create_index('primary')
  for i = 1, 100 do space:insert{i, 'user ' .. i} end`;

describe('the examples of docs/reference/library.md', () => {
  let folder: string;
  let db1: TestServer;
  let project: string;
  let db2: TestServer;
  let outputs: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-library-'));
    db1 = await startServer({ lua: DATA });
    project = join(folder, 'project');
    for (const name of ['tntar', 'stream-chain', '@types/node']) {
      const link = join(project, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(name === 'tntar' ? ROOT : join(ROOT, 'node_modules', name), link);
    }
    db2 = await startServer();
    writeFileSync(join(project, 'package.json'), '{"type": "module"}');
    const files = runnable(PAGE, 'ts').map(({ text }, i) => {
      const code = text.replaceAll('db1:3301', db1.address).replaceAll('db2:3301', db2.address);
      writeFileSync(join(project, `example-${i}.ts`), code);
      return `example-${i}.ts`;
    });
    const options = '--strict --exactOptionalPropertyTypes --skipLibCheck --types node';
    const module = '--target es2023 --module nodenext';
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const line = `node ${tsc} ${options} ${module} ${files.join(' ')}`;
    const compiled = await shell(line, { cwd: project });
    equal(compiled.code, 0, String(compiled.stdout));
    outputs = [];
    for (const file of files) {
      const run = await shell(`node ${file.replace('.ts', '.js')}`, { cwd: project });
      equal(run.code, 0, `${file}: ${run.stderr}`);
      outputs.push(String(run.stdout));
    }
  });
  after(async () => {
    await Promise.all([db1.stop(), db2.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('dump with a report of the progress', () => {
    match(outputs[0]!, /^users 100 \d+\n100 rows\n$/);
  });

  it('restore with a filter', async () => {
    deepEqual(
      await db2.eval('return {box.space.users:count(), box.space.users.index[0]:max()[1]}'),
      [50, 50],
    );
  });

  it('run a chain with a stage of the user', async () => {
    match(outputs[2]!, /^users: 100 rows$/m);
    const { code, stderr } = await shell('tntar verify < chained.tar.zst', { cwd: project });
    equal(code, 0, stderr);
  });

  it('run a chain with filters', async () => {
    const { stdout } = await shell('tntar list --json < vinyl.tar.zst', { cwd: project });
    match(String(stdout), /"engine": *"vinyl"/);
  });

  it('read an archive', () => {
    equal(outputs[4]!.split('\n')[49], "[ 50, 'user 50' ]");
  });

  it('read a part of an archive', () => {
    match(outputs[5]!, /^users 100\nusers_log 0\n_space \d+\n(_\w+ \d+\n)*users 100\n$/);
  });
});
