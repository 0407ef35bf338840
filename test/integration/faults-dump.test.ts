import { equal, match, ok, rejects } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../../lib/pipelines/verify.js';
import { blobRows, blobs } from '../cli/blobs.js';
import { failsWith, isReleased } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { withServer } from '../cli/with-server.js';
import { type Result, tntar } from '../support/cli.js';
import { type Behavior, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const MEGABYTES = 24;
/** More than a dump may take of memory, of which Node itself has some 60 MB. */
const LARGE_MEGABYTES = 170;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** Nothing may hang: what fails at once takes no longer than this. */
const AT_ONCE_MS = 15_000;
/** Past two parts of the archive, in the middle of the rows. */
const MIDDLE = 18_000_000;

/** Asserts what every dump that failed owes: no trailer, so nobody can take its output for a backup. */
async function isNoBackup(output: Buffer): Promise<void> {
  ok(output.length > 0, 'something was written');
  failsWith(await tntar(['verify'], { input: output }), 3, /before its trailer|middle of a frame/);
}

/** The error of a dump without its output. */
function errorOf({ code, signal, stderr }: Result): Result {
  return { code, signal, stderr, stdout: Buffer.alloc(0) };
}

describe('faults of a dump', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) });
  });
  after(() => server.stop());

  /** Dumps through a proxy that behaves like this. */
  const dumpThrough = async (behavior: Behavior, ...options: string[]): Promise<Result> => {
    const proxy = await startProxy(server, behavior);
    const timeouts = ['--timeout', '1', '--connect-timeout', '1'];
    const args = ['dump', '-q', proxy.address, ...timeouts, ...options];
    const result = await tntar(args, { env, timeoutMs: AT_ONCE_MS });
    await proxy.stop();
    return result;
  };

  for (const source of ['snapshot', 'select']) {
    describe(`by ${source}`, () => {
      for (const fault of ['end', 'reset', 'stall'] as const) {
        it(`the fault '${fault}' of a connection in the middle is a failure that names the space and the rows`, async () => {
          const result = await dumpThrough({ after: MIDDLE, fault }, '--source', source);
          failsWith(errorOf(result), 1, fault === 'stall' ? /no byte came for 1 s/ : /lost/);
          await isNoBackup(result.stdout);
          await isReleased(server);
          match(result.stderr, /connection .*lost.*'blobs'/, 'names the space');
          const rows = /([\d,]+) rows/.exec(result.stderr)?.[1]?.replaceAll(',', '');
          // a row is some 1,010 bytes here, and 28 more on the wire of a snapshot
          ok(Number(rows) > 8000 && Number(rows) < 18_000, `says after how many rows: ${rows}`);
        });
      }

      it('a server that is killed in the middle is a failure', async () => {
        const slow = await startProxy(server, { bytesPerSecond: 20_000_000 });
        const dump = new Running(['dump', '-q', slow.address, '--source', source], { env });
        await dump.until(() => dump.bytes > 1_000_000);
        server.kill('SIGKILL');
        const result = await dump.end(AT_ONCE_MS);
        await slow.stop();
        await server.restart();
        failsWith(errorOf(result), 1, /connection .* lost/);
        await isNoBackup(result.stdout);
      });

      it('a server that hangs in the middle is a failure after --timeout', async () => {
        const slow = await startProxy(server, { bytesPerSecond: 20_000_000 });
        const args = ['dump', '-q', slow.address, '--source', source, '--timeout', '2'];
        const dump = new Running(args, { env });
        await dump.until(() => dump.bytes > 1_000_000);
        server.kill('SIGSTOP');
        try {
          const result = await dump.end(2000 + AT_ONCE_MS);
          failsWith(errorOf(result), 1, /no byte came for 2 s/);
          await isNoBackup(result.stdout);
        } finally {
          server.kill('SIGCONT');
          await slow.stop();
        }
      });

      it('a slow connection is not a fault', async () => {
        // it takes longer than --timeout, but is never silent for so long
        const result = await dumpThrough({ bytesPerSecond: 15_000_000 }, '--source', source);
        equal(result.code, 0, result.stderr);
        equal((await tntar(['verify'], { input: result.stdout })).code, 0);
      });
    });
  }

  for (const [title, after, code] of [
    ['in the greeting', 100, 5],
    ['in the login', 140, 5],
    ['in the definitions', 3000, 1],
  ] as const) {
    it(`a connection that is lost ${title} is a failure, and nothing is written`, async () => {
      const faults = ['end', 'stall'] as const;
      const results = await Promise.all(faults.map((fault) => dumpThrough({ after, fault })));
      for (const result of results)
        failsWith(result, code, /lost|closed|did not complete the login/);
    });
  }

  it('a server that hangs before the greeting is a failure after --connect-timeout', async () => {
    server.kill('SIGSTOP');
    try {
      const args = ['dump', '-q', server.address, '--connect-timeout', '1'];
      const result = await tntar(args, { env, timeoutMs: AT_ONCE_MS });
      failsWith(result, 5, /did not complete the login within 1 s/);
    } finally {
      server.kill('SIGCONT');
    }
  });

  it('a reader that does not read makes the dump wait without taking more memory', async () => {
    const large = await startServer({ lua: blobs(LARGE_MEGABYTES) });
    const dumps = ['snapshot', 'select'].map((source) => {
      const args = ['dump', '-q', large.address, '--source', source];
      return new Running(args, { env, read: false });
    });
    await sleep(2500);
    const megabytes = dumps.map((dump) => residentBytes(dump.pid) / 1e6);
    for (const dump of dumps) dump.kill('SIGKILL');
    await large.stop();
    for (const each of megabytes) ok(each < LARGE_MEGABYTES, `${each} MB`);
  });

  describe('a dump that is killed', () => {
    it('leaves an output that verify and restore reject, at whatever byte it was killed', async () => {
      for (const bytes of [1, 65_536, 9_000_000, 22_000_000]) {
        const dump = new Running(['dump', '-q', server.address], { env });
        await dump.until(() => dump.bytes >= bytes);
        dump.kill('SIGKILL');
        const { signal, stdout } = await dump.end(AT_ONCE_MS);
        equal(signal, 'SIGKILL');
        ok(stdout.length < blobRows(MEGABYTES) * 1000);
        await isNoBackup(stdout);
      }
      await isReleased(server);
    });

    it('leaves an output that verify and restore reject, if it is cut at any multiple of 64 KiB', async () => {
      const archive = await withServer({ lua: blobs(5) }, async ({ address }) => {
        const { code, stdout, stderr } = await tntar(['dump', '-q', address], { env });
        equal(code, 0, stderr);
        return stdout;
      });
      ok(archive.length > 5_000_000);
      for (let bytes = 0; bytes < archive.length; bytes += 65_536) {
        const reading = verify(Readable.from([archive.subarray(0, bytes)]));
        await rejects(reading, { kind: 'archive' }, `${bytes} of ${archive.length} bytes`);
      }
    });
  });
});

/** Memory that a process has taken. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}
