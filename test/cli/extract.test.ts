import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixturePath, readFixture } from '../fixtures/folder.js';
import { shell, spawnTntar, tntar } from '../support/cli.js';
import { Folders, filesOf } from '../support/directories.js';
import { failsWith } from './outcome.js';

const FILE = fixturePath('2.6.0-full.tar.zst');
const MODULE = fixturePath('lua-module/2.6.0');

describe('extract', () => {
  let folders: Folders;
  before(() => {
    folders = new Folders();
  });
  after(() => folders.remove());

  const extract = (path: string, ...args: string[]) =>
    tntar(['extract', '-C', path, '-i', FILE, ...args]);
  const namesIn = (path: string): string[] => filesOf(path).map(({ name }) => name);

  it('writes a directory of the Lua module, and lists what was left out', async () => {
    const path = folders.path();
    const { code, stdout, stderr } = await extract(path);
    equal(code, 0, stderr);
    equal(String(stdout), '');
    match(
      stderr,
      /left out, because the format of the Lua module cannot hold them: .*\d+ functions; \d+ users/,
    );
    match(stderr, /^tntar: extracted \d+ spaces with /m);
    ok(namesIn(path).every((name) => !/^(?!280|288)[1-4]?\d?\d\./.test(name)));
    ok(namesIn(path).includes('512.dump'));
  });

  it('writes of the chosen spaces only, definitions and rows', async () => {
    const path = folders.path();
    const { code, stderr } = await extract(path, '--space', 'orders');
    equal(code, 0, stderr);
    deepEqual(namesIn(path).length, 3);
    const { stdout } = await tntar(['list', '--json', '-i', path]);
    const { spaces, unvouched } = JSON.parse(String(stdout));
    deepEqual([spaces.map(({ name }: { name: string }) => name), unvouched], [['orders'], true]);
  });

  it('--all writes a directory that restore, list and verify accept like the archive', async () => {
    const path = folders.path();
    equal((await extract(path, '--all', '-q')).code, 0);
    const [file, folder] = await Promise.all(
      [FILE, path].map((input) => tntar(['list', '--json', '-i', input])),
    );
    const [expected, actual] = [file!, folder!].map(({ stdout }) => {
      const { archiveBytes: _, ...rest } = JSON.parse(String(stdout));
      return rest;
    });
    deepEqual(actual, expected);
    equal((await tntar(['verify', '-i', path])).code, 0);
  });

  it('takes an archive that another program has unpacked', async () => {
    const [path, again] = [folders.path(), folders.path()];
    mkdirSync(path);
    const line = `tar --zstd -xf ${FILE} -C ${path} && tntar verify -i ${path}`;
    equal((await shell(line)).code, 0);
    equal((await shell(`tar c -C ${path} . | tntar extract -q -C ${again}`)).code, 0);
    ok(namesIn(again).includes('280.dump'));
  });

  it('a directory of the Lua module is never reported as verified', async () => {
    const { code, stderr } = await tntar(['verify', '-i', MODULE]);
    equal(code, 3, stderr);
    match(stderr, /^tntar: all tuples are whole, 130 rows in 5 spaces, but nothing proves/m);
  });

  it('a directory of the Lua module is listed as such', async () => {
    const { code, stdout } = await tntar(['list', '-i', MODULE]);
    equal(code, 0);
    match(String(stdout), /^by tarantool\/dump, \d{4}-.*Z\nnothing says that it is whole\n/);
  });

  it('a directory that it wrote, or a tar of it, is refused by --salvage', async () => {
    const path = folders.path();
    equal((await extract(path, '--all', '-q')).code, 0);
    const tar = `${path}.tar`;
    equal((await shell(`tar cf ${tar} ${path}`)).code, 0);
    for (const [input, what] of [
      [path, /not with a directory\nhint: restore it without/],
      [tar, /not with a tar\nhint: restore it without/],
    ] as const) {
      failsWith(await tntar(['restore', '127.0.0.1:1', '--salvage', '-i', input]), 2, what);
    }
  });

  it('a tar that is damaged is no archive that could be salvaged', async () => {
    const path = join(folders.root, 'cut.tar');
    const line = `tar c -C ${dirname(MODULE)} ${basename(MODULE)} | head -c 20000 > ${path}; tntar verify -q -i ${path}`;
    const { code, stderr } = await shell(line);
    equal(code, 3, stderr);
    match(stderr, /^tntar: (the tar is cut short|the tar cannot be read.*)\n/m);
    ok(!stderr.includes('damaged from byte'), stderr);
  });

  it('without -C is wrong usage', async () => {
    const { code, stderr } = await tntar(['extract', '-i', FILE]);
    equal(code, 2);
    match(stderr, /required option '-C, --directory <dir>'/);
  });

  it('into the working directory, a full one or a file is wrong usage', async () => {
    const cwd = folders.path();
    mkdirSync(cwd);
    failsWith(await tntar(['extract', '-C', '.', '-i', FILE], { cwd }), 2, /working directory/);
    failsWith(await extract(folders.root), 2, /is not empty/);
    failsWith(await extract(FILE), 2, /is not a directory/);
  });

  it('a damaged archive leaves no directory', async () => {
    const path = folders.path();
    const input = readFixture('2.6.0-full.tar.zst').subarray(0, 10_000);
    failsWith(await tntar(['extract', '-q', '-C', path], { input }), 3, /the archive ends/);
    ok(!existsSync(path) && !existsSync(`${path}.partial`));
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stopped by ${signal}, leaves no directory and nothing in the temporary folder`, async () => {
      const [path, TMPDIR] = [folders.path(), folders.with([])];
      for (const bytes of [readFixture('2.6.0-full.tar.zst').subarray(0, 5000), await halfTar()]) {
        const child = spawnTntar(['extract', '-C', path], { env: { TMPDIR } });
        const closed = once(child, 'close');
        child.stdin.write(bytes);
        while (!existsSync(`${path}.partial`)) await sleep(10);
        await sleep(200);
        child.kill(signal);
        equal((await closed)[0], signal === 'SIGINT' ? 130 : 143);
        ok(!existsSync(path) && !existsSync(`${path}.partial`));
        deepEqual(readdirSync(TMPDIR), []);
      }
    });
  }

  async function halfTar(): Promise<Buffer> {
    const { stdout } = await shell(`tar c -C ${dirname(MODULE)} ${basename(MODULE)}`);
    return stdout.subarray(0, 20_000);
  }
});
