import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, shell, tntar } from '../support/cli.js';
import { type Peer, startPeer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { type SessionResult, TerminalSession } from '../support/terminal.js';
import { blobRows, blobs } from './blobs.js';
import { FAST_CLOCK } from './fast-clock.js';
import { failsWith } from './outcome.js';
import { Running } from './running.js';
import { withServer } from './with-server.js';

const MEGABYTES = 12;
/** To the start of the line, and erase to its end. */
const CLEAR_LINE = '\r\x1b[K';
const login = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
const fast = { ...login, ...FAST_CLOCK };

describe('reporting', () => {
  let server: TestServer;
  let slow: Peer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) });
    slow = await startProxy(server, { bytesPerSecond: 10_000_000 });
    folder = mkdtempSync(join(tmpdir(), 'tntar-reporting-'));
    await sh('tntar dump $db -o whole.tar.zst');
  });
  after(async () => {
    await slow.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs a line of bash in the folder; `$db` is the server, `$slow` the same at 10 MB a second. */
  const variables = () => ({ db: server.address, slow: slow.address });
  const sh = (line: string, env: NodeJS.ProcessEnv = login): Promise<Result> =>
    shell(line, { cwd: folder, env: { ...env, ...variables() } });
  const atTerminal = async (line: string): Promise<SessionResult> =>
    new TerminalSession(line, { cwd: folder, env: { ...login, ...variables() } }).end();

  describe('a terminal', () => {
    it('is no place for an archive', async () => {
      const { code, shown } = await atTerminal('tntar dump $db');
      equal(code, 2);
      match(shown, /^tntar: standard output is a terminal.*\r\nhint: .*-o FILE.*\r\n$/);
    });

    it('is refused as the output of an archive under each of its names', async () => {
      for (const name of ['-', '/dev/tty']) {
        const { code, shown } = await atTerminal(`tntar dump $db -o ${name}`);
        equal(code, 2);
        match(shown, /^tntar: (standard output|\/dev\/tty) is a terminal/);
      }
    });

    for (const command of ['restore $db', 'list', 'verify']) {
      it(`is refused as an archive by ${command.split(' ')[0]}`, async () => {
        const { code, shown } = await atTerminal(`tntar ${command}`);
        equal(code, 2);
        match(shown, /^tntar: standard input is a terminal.*\r\nhint: .*-i FILE.*\r\n$/);
      });
    }

    it('shows the progress on one line, and clears the line at the end', async () => {
      const { code, shown } = await atTerminal('tntar dump $slow > slow.tar.zst');
      equal(code, 0, shown);
      const lines = shown.split('\r\n');
      equal(lines.length, 3, shown);
      const [note, progress] = lines;
      match(note!, /^tntar: reading from a snapshot/);
      const steps = progress!.split(CLEAR_LINE);
      ok(steps.length > 4, progress);
      equal(steps.shift(), '');
      match(steps.pop()!, /^tntar: dumped 2 spaces with 12,010 rows, .* in \d+\.\d s$/);
      for (const step of steps) {
        match(step, /^([█░]{24} +\d+%(, [\dhms]+ left)?|\d+%), [\d,]+ rows, [\d.]+ [kM]?B, .+$/);
      }
      match(shown, /█{2,}░* +\d+%, \d\ds left, /);
    });

    it('shows no progress with --quiet', async () => {
      const { code, shown } = await atTerminal('tntar dump -q $slow > slow.tar.zst');
      equal(code, 0);
      equal(shown, '');
    });

    it('is clean after a failure', async () => {
      const cut = await startProxy(server, {
        bytesPerSecond: 10_000_000,
        after: 6e6,
        fault: 'end',
      });
      const { code, shown } = await atTerminal(`tntar dump ${cut.address} > cut.tar.zst`);
      await cut.stop();
      equal(code, 1);
      const steps = shown.split(CLEAR_LINE);
      match(steps.at(-2)!, / rows, [\d.]+ [kM]B/);
      match(steps.at(-1)!, /^tntar: [^\r]+\r\nhint: [^\r]+\r\n$/);
    });
  });

  describe('a log', () => {
    it('gets plain lines: the choice, the progress at intervals, and the summary', async () => {
      const { code, stderr } = await sh('tntar dump $slow > slow.tar.zst', fast);
      equal(code, 0, stderr);
      match(
        stderr,
        /^tntar: reading from a snapshot.*\n(tntar: \d+%, [\d,]+ rows, .*, in '(blobs|few)'\n){2,}tntar: dumped .*\n$/,
      );
      ok(!stderr.includes('\r') && !stderr.includes('\x1b'), 'nothing moves a cursor');
    });

    it('gets no progress lines from a run of a few seconds', async () => {
      const { stderr } = await sh('tntar dump $slow > slow.tar.zst');
      match(stderr, /^tntar: reading from a snapshot.*\ntntar: dumped .*\n$/);
    });

    it('gets a summary of every command in the same words', async () => {
      const sum = `2 spaces with ${blobRows(MEGABYTES) + 10} rows`.replace(/(?=\d{3} )/, ',');
      const saysSo = ({ code, stdout, stderr }: Result, done: string): void => {
        equal(code, 0, stderr);
        equal(String(stdout), '');
        match(
          stderr,
          new RegExp(`^tntar: ${done} ${sum}, 12\\.\\d MB \\(archive .*, ratio 1\\.0\\)`),
        );
      };
      saysSo(await sh('tntar verify < whole.tar.zst'), 'verified');
      await withServer({}, async ({ address }) => {
        saysSo(await sh(`tntar restore ${address} < whole.tar.zst`), 'restored');
      });
    });

    it('stays empty with --quiet', async () => {
      await withServer({}, async ({ address }) => {
        for (const line of [
          'tntar dump --quiet $db > quiet.tar.zst',
          `tntar restore --quiet ${address} < quiet.tar.zst`,
          'tntar verify --quiet < quiet.tar.zst',
          'tntar list --quiet < quiet.tar.zst',
        ]) {
          const { code, stderr } = await sh(line, fast);
          equal(code, 0, stderr);
          equal(stderr, '', line);
        }
      });
    });
  });

  describe('a program', () => {
    const events = (stderr: string): Record<string, unknown>[] =>
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);

    it('gets a line of JSON for each event, including the progress', async () => {
      const { code, stderr } = await sh(
        'tntar dump --progress json $slow > slow.tar.zst; tntar verify --progress json < slow.tar.zst',
      );
      equal(code, 0, stderr);
      const [note, ...others] = events(stderr);
      deepEqual(Object.keys(note!), ['event', 'line']);
      const steps = others.filter(({ event }) => event === 'progress');
      ok(steps.length > 1, stderr);
      for (const { rows, bytes, space, done, seconds, rowsPerSecond } of steps) {
        for (const number of [rows, bytes, done, seconds, rowsPerSecond]) {
          equal(typeof number, 'number');
        }
        match(String(space), /^(blobs|few)$/);
        ok(Number(done) > 0 && Number(done) <= 1);
      }
      const sums = others.filter(({ event }) => event === 'summary');
      deepEqual(
        sums.map(({ done, spaces, rows }) => [done, spaces, rows]),
        ['dumped', 'verified'].map((done) => [done, 2, blobRows(MEGABYTES) + 10]),
      );
    });

    it('gets the error as an event with the exit code', async () => {
      const { code, stderr } = await sh('tntar verify --progress json < /dev/null');
      equal(code, 3);
      const [error, ...rest] = events(stderr);
      deepEqual(rest, []);
      deepEqual(Object.keys(error!), ['event', 'message', 'hint', 'code', 'exitCode']);
      deepEqual(
        [error!['event'], error!['code'], error!['exitCode']],
        ['error', 'TNTAR_ARCHIVE', 3],
      );
    });

    it('gets the progress of an archive that is read from a pipe', async () => {
      const { code, stderr } = await sh('tntar dump -q $slow | tntar verify --progress json');
      equal(code, 0, stderr);
      const steps = events(stderr).filter(({ event }) => event === 'progress');
      ok(steps.length > 0, stderr);
      for (const { rows, done } of steps) {
        equal(done, Number(rows) / (blobRows(MEGABYTES) + 10));
      }
    });

    it('gets warnings and errors only with --quiet', async () => {
      const { stderr } = await sh('tntar dump -q --progress json $db > /dev/null');
      equal(stderr, '');
    });

    it('gets no percentage if the user may not ask the server for its sizes', async () => {
      await server.eval(`
        box.schema.user.create('reader', {password = 'r', if_not_exists = true})
        box.schema.user.grant('reader', 'read', 'universe', nil, {if_not_exists = true})`);
      const { code, stderr } = await sh('tntar dump --progress json reader:r@$slow > /dev/null');
      equal(code, 0, stderr);
      const steps = events(stderr).filter(({ event }) => event === 'progress');
      ok(steps.length > 1, stderr);
      for (const step of steps) ok(!('done' in step), stderr);
    });
  });

  describe('a warning', () => {
    /** Dumps by select, and writes a row in the middle. */
    const dumpWhileWriting = async (...options: string[]): Promise<Result> => {
      const args = ['dump', slow.address, '--source', 'select', '-q', ...options];
      const dump = new Running(args, { env: login });
      await dump.until(() => dump.bytes > 0);
      await server.eval("box.space.few:replace({1, 'changed'})");
      return dump.end(10_000);
    };

    it('is printed even with --quiet, and again by verify and list', async () => {
      const { code, stdout, stderr } = await dumpWhileWriting();
      equal(code, 0, stderr);
      match(
        stderr,
        /^tntar: warning: rows were written while the dump read.*not from one moment.*\n$/,
      );
      const verified = await tntar(['verify', '-q'], { input: stdout });
      equal(verified.code, 0);
      match(verified.stderr, /^tntar: warning: rows were written.*\n$/);
      const listed = await tntar(['list'], { input: stdout });
      match(String(listed.stdout), /^Tarantool .* read by select\ncomplete, NOT from one moment/);
      const { consistent } = JSON.parse(
        String((await tntar(['list', '--json'], { input: stdout })).stdout),
      );
      equal(consistent, false);
    });

    it('becomes a failure without a trailer with --strict', async () => {
      const { code, stdout, stderr } = await dumpWhileWriting('--strict');
      equal(code, 1);
      match(
        stderr,
        /^tntar: rows were written while the dump read.*\nhint: .*--source snapshot.*\n$/,
      );
      failsWith(
        await tntar(['verify'], { input: stdout }),
        3,
        /before its trailer|middle of a frame/,
      );
    });

    it('is printed for a server that is newer than every tested version', async () => {
      const peer = await startPeer((socket) => {
        socket.write(greeting('9.1.0'));
        socket.once('data', () => socket.end());
      });
      const { code, stderr } = await tntar(['dump', '-q', peer.address]);
      equal(code, 1);
      match(stderr, /^tntar: warning: Tarantool 9\.1\.0 is newer .*\ntntar: /);
      await peer.stop();
    });
  });
});

/** What a server of this version says first: two lines of 64 bytes. */
function greeting(version: string): string {
  const line = `Tarantool ${version} (Binary) 7170b4af-c72c-4f07-8729-08fc678543a1`;
  const salt = 'QK2HoFZGXTXBq2vFj7soCsHqTo6PGTF575ssUBAJLAI=';
  return `${line.padEnd(63)}\n${salt.padEnd(63)}\n`;
}
