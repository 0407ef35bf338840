import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blobs } from '../cli/blobs.js';
import { failsWith, isReleased } from '../cli/outcome.js';
import { Running, type RunningOptions } from '../cli/running.js';
import { tntar } from '../support/cli.js';
import { type Peer, startPeer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;
const MEGABYTES = 24;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** A signal takes no longer than this; far less than any --timeout here. */
const AT_ONCE_MS = 10_000;

describe('a signal', () => {
  let server: TestServer;
  let slow: Peer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) });
    slow = await startProxy(server, { bytesPerSecond: 20_000_000 });
    folder = mkdtempSync(join(tmpdir(), 'tntar-signals-'));
  });
  after(async () => {
    await slow.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const start = (args: string[], options: RunningOptions = {}): Running =>
    new Running(args, { env, ...options });

  describe('to a dump', () => {
    for (const [signal, code] of SIGNALS) {
      for (const source of ['snapshot', 'select']) {
        it(`${signal} ends it with ${code} and without a trailer, by ${source}`, async () => {
          const dump = start(['dump', '-q', slow.address, '--source', source]);
          await dump.until(() => dump.bytes > 1_000_000);
          dump.kill(signal);
          const result = await dump.end(AT_ONCE_MS);
          equal(result.code, code, result.stderr);
          match(result.stderr, new RegExp(`^tntar: stopped by ${signal}\n$`));
          failsWith(await tntar(['verify'], { input: result.stdout }), 3, /ends/);
          await isReleased(server);
        });
      }

      it(`${signal} leaves no file for -o`, async () => {
        const dump = start(['dump', '-q', slow.address, '-o', join(folder, 'a')]);
        await dump.until(() => readdirSync(folder).length > 0 && slow.open > 0);
        dump.kill(signal);
        failsWith(await dump.end(AT_ONCE_MS), code, new RegExp(`^tntar: stopped by ${signal}\n$`));
        deepEqual(readdirSync(folder), []);
      });
    }

    it('of a server that is silent in the middle ends it at once', async () => {
      for (const source of ['snapshot', 'select']) {
        const silent = await startProxy(server, { after: 12_000_000, fault: 'stall' });
        const dump = start(['dump', '-q', silent.address, '--source', source, '--timeout', '0']);
        await dump.until(() => dump.bytes > 1_000_000);
        dump.kill('SIGTERM');
        equal((await dump.end(AT_ONCE_MS)).code, 143);
        await silent.stop();
      }
    });

    it('of a server that is silent from the start ends it at once', async () => {
      for (const after of [0, 300]) {
        const silent = await startProxy(server, { after, fault: 'stall' });
        const args = ['dump', '-q', silent.address, '--timeout', '0', '-o', join(folder, 'a')];
        const dump = start(args);
        await dump.until(() => readdirSync(folder).length > 0 && silent.open > 0);
        dump.kill('SIGTERM');
        equal((await dump.end(AT_ONCE_MS)).code, 143);
        deepEqual(readdirSync(folder), []);
        await silent.stop();
      }
    });

    it('decides the exit code, although it ended the reader of the dump first', async () => {
      const dump = start(['dump', server.address], { read: false });
      await dump.until(() => dump.stderr.includes('snapshot'));
      dump.closeOutput();
      await sleep(5);
      dump.kill('SIGINT');
      equal((await dump.end(AT_ONCE_MS)).code, 130);
    });

    it('whose output nobody reads ends it at once', async () => {
      const dump = start(['dump', server.address], { read: false });
      await dump.until(() => dump.stderr.includes('snapshot'));
      dump.kill('SIGTERM');
      equal((await dump.end(AT_ONCE_MS)).code, 143);
    });
  });

  it('that is repeated ends the process at once, whatever it waits for', async () => {
    const peer = await startPeer(() => {});
    for (const [signal, code] of SIGNALS) {
      const dump = start(['dump', '-q', peer.address, '--connect-timeout', '60']);
      await dump.until(() => peer.open > 0);
      dump.kill(signal);
      await sleep(100);
      dump.kill(signal);
      const { code: got, signal: by, stdout } = await dump.end(AT_ONCE_MS);
      ok(got === code || by === signal, `ended with ${got} or ${by}`);
      equal(stdout.length, 0);
    }
    await peer.stop();
  });

  describe('to verify and list', () => {
    for (const command of ['verify', 'list']) {
      it(`ends ${command} at once while it waits for its input`, async () => {
        const whole = await tntar(['dump', '-q', server.address], { env });
        for (const bytes of [0, 10_000_000]) {
          const running = start([command]);
          await new Promise<void>((resolve) => {
            running.stdin.write(whole.stdout.subarray(0, bytes), () => resolve());
          });
          await running.until(() => handlesSignals(running.pid));
          running.kill('SIGTERM');
          failsWith(await running.end(AT_ONCE_MS), 143, /^tntar: stopped by SIGTERM\n$/);
        }
      });
    }
  });
});

/** Whether the process does something of its own about SIGHUP, which Node by itself does not. */
function handlesSignals(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number.parseInt(caught?.at(-1) ?? '0', 16) & 1) === 1;
}
