import { deepEqual, equal } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { blobRows, blobs } from '../cli/blobs.js';
import { Running } from '../cli/running.js';
import { withServer } from '../cli/with-server.js';
import { tntar } from '../support/cli.js';
import { type Behavior, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const MEGABYTES = 5;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
const TIMEOUTS = ['--timeout', '0.5'];
const SUSPENDED_MS = 1500;
const AT_MOST_MS = 30_000;
/** Slow enough to be suspended in the middle, and fast enough to be done soon. */
const SLOWLY: Behavior = { bytesPerSecond: 6_000_000 };

/** Suspends a run, as ^Z does, for longer than its timeout, and lets it go on. */
async function suspend(run: Running): Promise<void> {
  run.kill('SIGSTOP');
  await sleep(SUSPENDED_MS);
  run.kill('SIGCONT');
}

describe('a run that is suspended for longer than --timeout', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ lua: blobs(MEGABYTES) });
  });
  after(() => server.stop());

  for (const source of ['snapshot', 'select']) {
    it(`continues if it is a dump by ${source}`, async () => {
      const proxy = await startProxy(server, SLOWLY);
      const dump = new Running(['dump', '-q', proxy.address, '--source', source, ...TIMEOUTS], {
        env,
      });
      await dump.until(() => dump.bytes > 1_000_000);
      await suspend(dump);
      const { code, stdout, stderr } = await dump.end(AT_MOST_MS);
      await proxy.stop();
      equal(code, 0, stderr);
      equal((await tntar(['verify', '-q'], { input: stdout })).code, 0);
    });
  }

  it('continues if it is a restore', async () => {
    const archive = (await tntar(['dump', '-q', server.address], { env })).stdout;
    await withServer({}, async (target) => {
      let passed = 0;
      const onPassed = (bytes: number): void => {
        passed = bytes;
      };
      const proxy = await startProxy(target, { of: 'client', ...SLOWLY, onPassed });
      const restore = new Running(['restore', '-q', proxy.address, ...TIMEOUTS], { env });
      restore.stdin.end(archive);
      await restore.until(() => passed > 2_000_000);
      await suspend(restore);
      const { code, stderr } = await restore.end(AT_MOST_MS);
      await proxy.stop();
      deepEqual([code, stderr], [0, '']);
      equal(await target.eval('return box.space.blobs:len()'), blobRows(MEGABYTES));
    });
  });
});
