import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixturePath } from '../fixtures/folder.js';
import { shell, tntar } from '../support/cli.js';
import { type Peer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { blobs } from './blobs.js';
import { failsWith, hasNoTrace, isReleased } from './outcome.js';
import { Running } from './running.js';

const MEGABYTES = 12;
/** Each is one short reply, and together they are more than a pipe and the streams before it hold. */
const SMALL_SPACES = `
  for i = 1, 100 do
      local space = box.schema.space.create('small' .. i)
      space:create_index('primary')
      space:insert({1, require('digest').urandom(20000)})
  end
`;
/** Prints the exit code of each command of the pipe before it. */
const STATUS = `echo "\${PIPESTATUS[*]}"`;
/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1';
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };

describe('output', () => {
  let server: TestServer;
  let slow: Peer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) + SMALL_SPACES });
    slow = await startProxy(server, { bytesPerSecond: 15_000_000 });
  });
  after(async () => {
    await slow.stop();
    await server.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-output-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a line of bash in the folder; `$db` is the server. */
  const sh = (line: string) => shell(line, { cwd: folder, env: { ...env, db: server.address } });
  const file = (name: string): string => join(folder, name);

  describe('the file of -o', () => {
    it('is complete, private under every umask, and the only file', async () => {
      const { code, stdout, stderr } = await sh('umask 0; tntar dump $db -o a.tar.zst');
      equal(code, 0, stderr);
      equal(stdout.length, 0);
      deepEqual(readdirSync(folder), ['a.tar.zst']);
      equal(statSync(file('a.tar.zst')).mode & 0o777, 0o600);
      equal((await sh('tntar verify -i a.tar.zst')).code, 0);
    });

    it('has the same bytes as redirected standard output', async () => {
      const { code, stderr } = await sh(
        'tntar dump $db -o a; tntar dump $db > b; tntar dump $db | cat > c',
      );
      equal(code, 0, stderr);
      const sums = await sh(
        "for f in a b c; do tar --zstd -xOf $f --wildcards '*.dump*' | sha256sum; done",
      );
      equal(new Set(String(sums.stdout).trim().split('\n')).size, 1, String(sums.stdout));
      for (const name of ['a', 'b', 'c'])
        equal((await sh(`tntar verify -i ${name}`)).code, 0, name);
    });

    it('- is standard output, and -i - standard input', async () => {
      const { code, stderr } = await sh('tntar dump $db -o - | tntar verify -i -');
      equal(code, 0, stderr);
      deepEqual(readdirSync(folder), []);
    });

    it('does not exist until it is complete', async () => {
      const dump = new Running(['dump', slow.address, '-o', file('a')], { env });
      await dump.until(() => readdirSync(folder).length > 0 && slow.open > 0);
      deepEqual(readdirSync(folder).sort(), ['a.partial', 'a.partial.lock']);
      equal(statSync(file('a.partial')).mode & 0o777, 0o600);
      equal((await dump.end(15_000)).code, 0);
      deepEqual(readdirSync(folder), ['a']);
    });

    it('does not overwrite a file that appears in the meantime', async () => {
      const dump = new Running(['dump', '-q', slow.address, '-o', file('a')], { env });
      await dump.until(() => readdirSync(folder).length > 0 && slow.open > 0);
      writeFileSync(file('a'), 'precious');
      const { code, stderr } = await dump.end(15_000);
      equal(readFileSync(file('a'), 'utf8'), 'precious');
      notEqual(code, 0, stderr);
    });

    it('is written by one run at a time, and the other one names the process', async () => {
      const dump = new Running(['dump', '-q', slow.address, '-o', file('a')], { env });
      await dump.until(() => readdirSync(folder).includes('a.partial') && slow.open > 0);
      dump.kill('SIGSTOP'); // a run that is suspended is alive
      const other = await tntar(['dump', NOWHERE, '-o', file('a')], { env });
      failsWith(
        other,
        2,
        new RegExp(`: another tntar, process ${dump.pid}, is writing .*/a\\nhint: `),
      );
      dump.kill('SIGCONT');
      equal((await dump.end(15_000)).code, 0);
      equal((await tntar(['verify', '-i', file('a')])).code, 0);
      deepEqual(readdirSync(folder), ['a']);
    });

    it('is written although a run was killed that wrote it', async () => {
      const dump = new Running(['dump', '-q', slow.address, '-o', file('a')], { env });
      await dump.until(() => readdirSync(folder).includes('a.partial') && slow.open > 0);
      dump.kill('SIGKILL');
      await dump.end(5000);
      ok(readdirSync(folder).includes('a.partial'));
      const { code, stderr } = await sh('tntar dump $db -o a && tntar verify -q -i a');
      equal(code, 0, stderr);
      deepEqual(readdirSync(folder), ['a']);
    });

    it('is written although the name of its temporary file is taken', async () => {
      writeFileSync(file('a.partial'), 'left by a run that was killed');
      equal((await sh('tntar dump -q $db -o a && tntar verify -q -i a')).code, 0);
      deepEqual(readdirSync(folder), ['a']);
    });

    it('is refused if a part of its path is not a folder, and the error names that part', async () => {
      writeFileSync(file('f'), '');
      for (const name of ['f/a', 'f/b/a', 'f/', './f/../a/', 'none/a']) {
        const result = await sh(`tntar dump ${NOWHERE} -o ${name}`);
        const isMissing = name === 'none/a';
        failsWith(
          result,
          2,
          isMissing
            ? /ENOENT, the folder none does not exist\n/
            : /ENOTDIR, (\.\/)?f is a file, not a folder\n/,
        );
        match(result.stderr, /\nhint: (choose|create) .*folder/);
      }
      failsWith(
        await sh(`tntar dump ${NOWHERE} -o ${'n'.repeat(300)}`),
        2,
        /ENAMETOOLONG.*\nhint: choose a shorter name\n/,
      );
      deepEqual(readdirSync(folder), ['f']);
    });

    it('is refused if a name that is needed during the write is taken, and the error gives that name', async () => {
      mkdirSync(file('a.partial'));
      mkdirSync(file('b.partial.lock'));
      const directory = await sh(`tntar dump ${NOWHERE} -o a`);
      failsWith(
        directory,
        2,
        /cannot write a: a\.partial is a directory, .*\nhint: move or remove a\.partial, /,
      );
      for (const call of [
        `dump ${NOWHERE} -o b`,
        `extract -q -C b ${fixturePath('2.6.0-full.tar.zst')}`,
      ]) {
        const result = await sh(`tntar ${call}`);
        failsWith(
          result,
          2,
          /b: \S*b\.partial\.lock is not a file, .*\nhint: move or remove \S*b\.partial\.lock, /,
        );
      }
      deepEqual(readdirSync(folder).sort(), ['a.partial', 'b.partial.lock']);
    });

    it('may be /dev/null or another device', async () => {
      const { code, stderr } = await sh('tntar dump $db -o /dev/null');
      equal(code, 0);
      match(stderr, /\ntntar: dumped /);
      failsWith(await sh('tntar dump -q $db -o /dev/full'), 1, /ENOSPC/);
    });

    it('does not exist after the dump fails', async () => {
      const cut = await startProxy(server, { after: 10_000_000, fault: 'end' });
      const { code, stderr } = await tntar(['dump', cut.address, '-o', file('a')], { env });
      equal(code, 1, stderr);
      deepEqual(readdirSync(folder), []);
      await cut.stop();
    });

    it('does not exist after the disk was full', async function () {
      const mounted = await sh('mkdir disk && mount -t tmpfs -o size=4m tmpfs disk');
      if (mounted.code !== 0) return this.skip(); // it takes root and a machine of one's own
      try {
        const { code, stdout, stderr } = await sh('tntar dump $db -o disk/a');
        equal(code, 1, stderr);
        equal(stdout.length, 0);
        match(stderr, /\ntntar: .*ENOSPC/);
        match(stderr, /\nhint: .*disk is full/);
        hasNoTrace(stderr);
        deepEqual(readdirSync(file('disk')), []);
      } finally {
        equal((await sh('umount disk')).code, 0);
      }
    });
  });

  describe('standard output', () => {
    it('is written from the current position if it is a file', async () => {
      const { code, stderr } = await sh(
        '(echo before; tntar dump $db) > a; tail -c +8 a | tntar verify',
      );
      equal(code, 0, stderr);
      equal(readFileSync(file('a')).toString('latin1', 0, 7), 'before\n');
    });

    it('that is closed early is a failure, and releases the server', async () => {
      for (const source of ['snapshot', 'select']) {
        const { stdout, stderr } = await sh(
          `tntar dump -q $db --source ${source} | head -c 100 > head; ${STATUS}`,
        );
        equal(String(stdout), '1 0\n');
        match(
          stderr,
          /^tntar: the program that reads the output of tntar ended[^\n]*\nhint: [^\n]+\n$/,
        );
        equal(statSync(file('head')).size, 100);
        await isReleased(server);
      }
    });

    it('that is closed before the start is a failure', async () => {
      const { stdout, stderr } = await sh(`tntar dump -q $db | true; ${STATUS}`);
      equal(String(stdout), '1 0\n');
      match(
        stderr,
        /^tntar: the program that reads the output of tntar ended[^\n]*\nhint: [^\n]+\n$/,
      );
    });

    it('that was closed before the start, as by >&-, is refused before the server is asked', async () => {
      for (const options of ['', '-o -']) {
        failsWith(
          await sh(`tntar dump -q ${NOWHERE} ${options} >&-`),
          2,
          /standard output is closed/,
        );
      }
    });

    it('is not needed with -o, and no file takes the number of a closed descriptor', async () => {
      const { code } = await sh('tntar dump $db -o a <&- >&- 2>&-');
      equal(code, 0);
      equal((await sh('tntar verify -i a')).code, 0);
    });

    it('that is full is a failure, and releases the server', async () => {
      const result = await sh('tntar dump -q $db > /dev/full');
      failsWith(result, 1, /ENOSPC/);
      match(result.stderr, /\nhint: .*disk is full/);
      await isReleased(server);
    });

    it('of list that is full is a failure without a stack trace, and the error does not mention archives', async () => {
      equal((await sh('tntar dump -q $db > a')).code, 0);
      const full = await sh('tntar list -q -i a > /dev/full');
      failsWith(full, 1, /ENOSPC/);
      match(full.stderr, /\nhint: the disk is full; the output is cut short\n$/);
    });
  });

  describe('a slow reader', () => {
    for (const source of ['snapshot', 'select']) {
      it(`that pauses for longer than --timeout does not fail a dump by ${source}, which warns`, async () => {
        const args = ['dump', server.address, '--source', source, '--timeout', '1'];
        const dump = new Running(args, { env, read: false });
        const told = /tntar: warning: the output was not read for 1 s; the server keeps/;
        await dump.until(() => told.test(dump.stderr));
        await sleep(1000);
        dump.read();
        const { code, stdout, stderr } = await dump.end(15_000);
        equal(code, 0, stderr);
        equal(stderr.match(/warning/g)?.length, 1, stderr);
        equal((await tntar(['verify'], { input: stdout })).code, 0);
      });
    }
  });
});
