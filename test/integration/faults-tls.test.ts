import { equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blobs } from '../cli/blobs.js';
import { failsWith, isReleased } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { withServer } from '../cli/with-server.js';
import { Authority, contentOf } from '../support/certificates.js';
import { type Result, tntar } from '../support/cli.js';
import { type Behavior, type Peer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { startTls } from '../support/tls-endpoint.js';

const MEGABYTES = 12;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** Longer than a run takes, and shorter than any default of a timeout. */
const SOON_MS = 15_000;

const FAULTS: [title: string, fault: NonNullable<Behavior['fault']>, message: RegExp][] = [
  ['a reset', 'reset', /lost: .*(ECONNRESET|the server closed it)/],
  ['an end', 'end', /lost: (the server closed it|write EPIPE|read ECONNRESET)/],
  ['silence', 'stall', /lost: no byte came for 1 s/],
  [
    'bytes of somebody else',
    Buffer.alloc(100_000),
    /lost: (decryption failed or bad record mac|wrong version number)[,;]/,
  ],
];

describe('a connection under TLS', () => {
  let server: TestServer;
  let folder: string;
  let trusting: string[];
  let certificate: ReturnType<typeof contentOf>;
  let endpoint: Peer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-tls-'));
    server = await startServer({ lua: blobs(MEGABYTES) });
    const authority = new Authority(folder, 'authority');
    trusting = ['--tls-ca', authority.cert];
    certificate = contentOf(authority.sign('server', { names: 'IP:127.0.0.1' }));
    endpoint = await startTls(server, certificate);
  });
  after(async () => {
    await endpoint.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const dump = (address: string, ...args: string[]): Promise<Result> =>
    tntar(['dump', '-q', address, ...trusting, ...args], { env, timeoutMs: SOON_MS });
  const isBackup = async ({ code, stdout, stderr }: Result): Promise<void> => {
    equal(code, 0, stderr);
    equal((await tntar(['verify', '-q'], { input: stdout })).code, 0);
  };

  for (const [title, fault, message] of FAULTS) {
    for (const source of ['snapshot', 'select']) {
      it(`with ${title} in the middle ends a dump by ${source} with 1`, async () => {
        const proxy = await startProxy(endpoint, { after: 5_000_000, fault });
        const result = await dump(proxy.address, '--source', source, '--timeout', '1');
        equal(result.code, 1, result.stderr);
        match(result.stderr, message);
        failsWith(await tntar(['verify', '-q'], { input: result.stdout }), 3, /ends/);
        await proxy.stop();
        await isReleased(server);
      });
    }

    it(`with ${title} in the middle ends a restore with 1, INCOMPLETE`, async () => {
      const { stdout: input } = await dump(endpoint.address);
      await withServer({}, async (target) => {
        const tls = await startTls(target, certificate);
        const proxy = await startProxy(tls, { after: 2_000_000, fault });
        const args = ['restore', '-q', proxy.address, ...trusting, '--timeout', '1'];
        const result = await tntar(args, { env, input, timeoutMs: SOON_MS });
        failsWith(result, 1, message);
        match(result.stderr, /INCOMPLETE/);
        await proxy.stop();
        await tls.stop();
      });
    });
  }

  it('without incoming bytes does not delay a signal', async () => {
    const proxy = await startProxy(endpoint, { after: 10_000_000, fault: 'stall' });
    const running = new Running(['dump', '-q', proxy.address, ...trusting], { env });
    await running.until(() => running.bytes > 1_000_000);
    running.kill('SIGTERM');
    equal((await running.end(SOON_MS)).code, 143);
    await proxy.stop();
  });

  it('does not fail a dump whose output nobody reads for longer than --timeout', async () => {
    const args = ['dump', '-q', endpoint.address, ...trusting, '--timeout', '1'];
    const running = new Running(args, { env, read: false });
    await sleep(2500);
    running.read();
    await isBackup(await running.end(SOON_MS));
  });

  it('that the peer never closes does not delay the end of a run', async () => {
    const deaf = createServer({ allowHalfOpen: true }, (socket) => {
      const upstream = connect(endpoint.port, endpoint.host);
      for (const each of [socket, upstream]) each.on('error', () => {}).unref();
      socket.on('data', (chunk) => upstream.write(chunk));
      upstream.on('data', (chunk) => socket.write(chunk));
    });
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const place = deaf.address();
    await isBackup(await dump(`127.0.0.1:${typeof place === 'object' ? place?.port : ''}`));
    deaf.close();
  });
});
