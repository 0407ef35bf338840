import { deepEqual, equal, match, ok } from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shell } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

const DATA = `
  box.schema.user.grant('guest', 'super')
  local space = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
  space:create_index('primary')
  box.schema.space.create('users_log'):create_index('primary')
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

  describe('has examples for the library that work as they are written', () => {
    let project: string;
    let db2: TestServer;
    let outputs: string[];

    before(async () => {
      project = join(folder, 'project');
      for (const name of ['tntar', 'stream-chain', '@types/node']) {
        const link = join(project, 'node_modules', name);
        mkdirSync(dirname(link), { recursive: true });
        symlinkSync(name === 'tntar' ? ROOT : join(ROOT, 'node_modules', name), link);
      }
      db2 = await startServer();
      writeFileSync(join(project, 'package.json'), '{"type": "module"}');
      const files = blocks('ts').map((example, i) => {
        const code = example
          .replaceAll('db1:3301', db1.address)
          .replaceAll('db2:3301', db2.address);
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
    after(() => db2.stop());

    it('a dump that tells of its progress', () => {
      match(outputs[0]!, /^users 100 \d+\n100 rows\n$/);
    });

    it('a restore with a filter', async () => {
      deepEqual(
        await db2.eval('return {box.space.users:count(), box.space.users.index[0]:max()[1]}'),
        [50, 50],
      );
    });

    it('a chain with a stage of your own', async () => {
      match(outputs[2]!, /^users: 100 rows$/m);
      const { code, stderr } = await shell('tntar verify < chained.tar.zst', { cwd: project });
      equal(code, 0, stderr);
    });

    it('a chain with filters', async () => {
      const { stdout } = await shell('tntar list --json < vinyl.tar.zst', { cwd: project });
      match(String(stdout), /"engine": *"vinyl"/);
    });

    it('a reader of an archive', () => {
      equal(outputs[4]!.split('\n')[49], "[ 50, 'user 50' ]");
    });

    it('a reader of a part of one', () => {
      match(outputs[5]!, /^users 100\nusers_log 0\n_space \d+\n(_\w+ \d+\n)*users 100\n$/);
    });
  });

  describe('has grants that suffice', () => {
    /** Without users of its own, as an archive may be that `filler` restores. */
    const SPACES = `
      box.schema.space.create('plain'):create_index('primary')
      box.schema.space.create('numbered', {engine = 'vinyl'}):create_index('primary', {sequence = true})
      for i = 1, 10 do box.space.plain:insert{i, 'Row'} box.space.numbered:insert{box.NULL} end
      box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
          body = 'function(tuple) return {tuple[2]:lower()} end'})
      box.space.plain:create_index('by_name', {unique = false, func = 'lower',
          parts = {{1, 'string'}}})`;
    const USERS = `
      box.schema.role.create('clerk') box.schema.role.grant('clerk', 'read', 'space', 'plain')
      box.schema.user.create('ann', {password = 'a'}) box.schema.user.grant('ann', 'clerk')`;
    const uriOf = (user: string, { address }: TestServer): string => `${user}:secret@${address}`;
    /** The lines of the README that make a user. */
    const grantsOf = (user: string): string => {
      const found = blocks('lua').filter((block) => block.includes(`user.create('${user}'`));
      equal(found.length, 1);
      return found[0] ?? '';
    };

    /** Makes the user, with an id that no user of an archive has. */
    const make = (user: string): string => `
      for i = 1, 8 do box.schema.user.create('placeholder' .. i) end
      ${grantsOf(user)}
      for i = 1, 8 do box.schema.user.drop('placeholder' .. i) end`;

    /** Dumps as one user and restores as another: the copy has to be the same but for the latter. */
    async function copy(lua: string, dumper: string, restorer: string, args = ''): Promise<void> {
      const [source, target] = await Promise.all([startServer({ lua }), startServer()]);
      try {
        if (dumper !== USER) await source.eval(make(dumper));
        if (restorer !== USER) await target.eval(make(restorer));
        const dump = `tntar dump ${args} ${uriOf(dumper, source)}`;
        const { code, stderr } = await shell(`${dump} | tntar restore ${uriOf(restorer, target)}`);
        equal(code, 0, stderr);
        if (restorer !== USER) await target.eval(`box.schema.user.drop('${restorer}')`);
        const system = true;
        deepEqual(await fingerprint(target, { system }), await fingerprint(source, { system }));
      } finally {
        await Promise.all([source.stop(), target.stop()]);
      }
    }

    // by force, for who may not run Lua cannot ask how large tuples are: see test/integration/hang.test.ts
    it('to dump from a snapshot', () =>
      copy(SPACES + USERS, 'dumper', USER, '--source snapshot --force-snapshot'));
    it('to dump by select', () => copy(SPACES + USERS, 'reader', USER, '--source select'));
    it('to restore users and grants', () => copy(SPACES + USERS, USER, 'restorer'));
    it('to restore spaces, functions and sequences', () => copy(SPACES, USER, 'filler'));

    it('to restore rows alone', async () => {
      const [source, target] = await Promise.all([startServer({ lua: SPACES }), startServer()]);
      try {
        await target.eval(`${SPACES} ${make('loader')}
          box.space.plain:truncate() box.space.numbered:truncate() box.space.numbered.index[0]:drop()
          box.space.numbered:create_index('primary', {sequence = true})`);
        const restore = `tntar restore --data-only ${uriOf('loader', target)}`;
        const { code, stderr } = await shell(`tntar dump ${uriOf(USER, source)} | ${restore}`);
        equal(code, 0, stderr);
        deepEqual(await fingerprint(target), await fingerprint(source));
        deepEqual(await target.eval('return box.space.numbered:insert{box.NULL}'), [11]);
      } finally {
        await Promise.all([source.stop(), target.stop()]);
      }
    });
  });

  it('links to files that exist', () => {
    for (const [, target = ''] of README.matchAll(/\]\(([^)#]+)\)/g)) {
      ok(existsSync(join(ROOT, target)), target);
    }
  });

  it('names tests that are there behind its promises', () => {
    const named = [...README.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path);
    ok(named.length > 10);
    for (const path of named) {
      const start = basename(path).replace(/\*$/, '');
      const there = readdirSync(join(ROOT, dirname(path)));
      ok(
        there.some((name) => name.startsWith(start) && name.endsWith('.test.ts')),
        path,
      );
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
