import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { Authority, type Certificate, contentOf } from '../support/certificates.js';
import { type Result, type RunOptions, tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { type Peer, startPeer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { TerminalSession } from '../support/terminal.js';
import { startTls } from '../support/tls-endpoint.js';
import { blobs } from './blobs.js';
import { failsWith } from './outcome.js';
import { withServer } from './with-server.js';

const MEGABYTES = 12;
const KEY_PASSWORD = 'op3n:sesame';
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** Longer than a run takes, and shorter than any default of a timeout. */
const SOON_MS = 15_000;

describe('TLS', () => {
  let server: TestServer;
  let folder: string;
  let authority: Authority;
  let good: Certificate;
  let client: Certificate;
  let endpoint: Peer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-tls-'));
    server = await startServer({ lua: blobs(MEGABYTES) });
    authority = new Authority(folder, 'authority');
    good = authority.sign('good', { names: 'DNS:localhost,IP:127.0.0.1' });
    client = authority.sign('client');
    endpoint = await startTls(server, contentOf(good));
  });
  after(async () => {
    await endpoint.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const dump = (peer: Peer, args: readonly string[], options: RunOptions = {}): Promise<Result> =>
    tntar(['dump', '-q', peer.address, ...args], {
      timeoutMs: SOON_MS,
      ...options,
      env: { ...env, ...options.env },
    });
  const trusting = (): string[] => ['--tls-ca', authority.cert];

  /** Does something with an endpoint that shows this certificate. */
  async function withTls<T>(
    options: TlsOptions,
    use: (peer: Peer) => Promise<T>,
    target: { host: string; port: number } = server,
  ): Promise<T> {
    const peer = await startTls(target, options);
    try {
      return await use(peer);
    } finally {
      await peer.stop();
    }
  }

  const demanding = (): TlsOptions => ({
    ...contentOf(good),
    ca: contentOf(authority).cert,
    requestCert: true,
  });

  const isBackup = async ({ code, stdout, stderr }: Result): Promise<void> => {
    equal(code, 0, stderr);
    equal(stderr, '');
    equal((await tntar(['verify', '-q'], { input: stdout })).code, 0);
  };

  describe('with a valid certificate of the server', () => {
    for (const source of ['snapshot', 'select']) {
      it(`dumps by ${source} and restores, to the byte`, async () => {
        await withServer({}, (target) =>
          withTls(
            contentOf(good),
            async (peer) => {
              const { code, stdout, stderr } = await dump(endpoint, [
                ...trusting(),
                '--source',
                source,
              ]);
              equal(code, 0, stderr);
              const args = ['restore', '-q', peer.address, ...trusting()];
              const restored = await tntar(args, { env, input: stdout });
              equal(restored.code, 0, restored.stderr);
              deepEqual(await fingerprint(target), await fingerprint(server));
            },
            target,
          ),
        );
      });
    }

    it('trusts the authorities of the system with --tls alone', async () => {
      await isBackup(await dump(endpoint, ['--tls'], { env: { SSL_CERT_FILE: authority.cert } }));
    });

    it('takes the name of the certificate from --tls-server-name', async () => {
      for (const [names, name] of [
        ['DNS:db1.example.org', 'db1.example.org'],
        ['IP:10.0.0.1', '10.0.0.1'],
      ] as const) {
        const certificate = authority.sign('named', { names });
        await withTls(contentOf(certificate), async (peer) => {
          await isBackup(await dump(peer, [...trusting(), '--tls-server-name', name]));
        });
      }
    });

    it('presents a client certificate if the server demands one', async () => {
      const args = [...trusting(), '--tls-cert', client.cert, '--tls-key', client.key];
      await withTls(demanding(), async (peer) => isBackup(await dump(peer, args)));
    });

    it('decrypts the client key with a password from a file', async () => {
      const password = join(folder, 'password');
      writeFileSync(password, `${KEY_PASSWORD}\n`, { mode: 0o600 });
      const key = authority.lock(client, KEY_PASSWORD);
      const args = ['--tls-cert', client.cert, '--tls-key', key];
      await withTls(demanding(), async (peer) => {
        const secret = ['--tls-key-password-file', password];
        await isBackup(await dump(peer, [...trusting(), ...args, ...secret]));
      });
    });

    it('asks for the password of the client key on the terminal', async () => {
      const key = authority.lock(client, KEY_PASSWORD);
      const args = `${trusting().join(' ')} --tls-cert ${client.cert} --tls-key ${key}`;
      await withTls(demanding(), async ({ address }) => {
        for (const [password, expected] of [
          [KEY_PASSWORD, 0],
          ['wr0ng', 5],
        ] as const) {
          const line = `tntar dump -q ${address} ${args} > asked.tar.zst`;
          const session = new TerminalSession(line, { cwd: folder, env });
          await session.see(/Password of .*client\.key\.locked: /);
          session.type(`${password}\r`);
          const { code, shown } = await session.end();
          equal(code, expected, shown);
          ok(!shown.includes(password), shown);
        }
      });
    });
  });

  describe('is refused with exit code 5, before a login is sent', () => {
    const sessions = (): Promise<number> =>
      server.eval<number>('return box.stat.net().CONNECTIONS.total');

    /** Fails to dump from an endpoint. */
    async function isRefused(
      options: TlsOptions,
      message: RegExp,
      hint: RegExp,
      args: readonly string[] = trusting(),
    ): Promise<void> {
      const before = await sessions();
      await withTls(options, async (peer) => {
        const result = await dump(peer, args);
        failsWith(result, 5, message);
        match(result.stderr, new RegExp(`\\nhint: .*${hint.source}`));
      });
      equal(await sessions(), before);
    }

    it('if no authority that the system trusts has signed the certificate', async () => {
      await isRefused(contentOf(good), /nobody whom we trust/, /--tls-ca/, ['--tls']);
    });

    it('if another authority has signed the certificate', async () => {
      const other = new Authority(folder, 'other').sign('others', { names: 'IP:127.0.0.1' });
      await isRefused(contentOf(other), /nobody whom we trust/, /--tls-ca/);
    });

    it('if the certificate is self-signed', async () => {
      await isRefused(contentOf(new Authority(folder, 'self')), /self.signed/, /--tls-ca/);
    });

    it('if the certificate is for another name', async () => {
      const elsewhere = authority.sign('elsewhere', { names: 'DNS:elsewhere' });
      await isRefused(contentOf(elsewhere), /for another name .*127\.0\.0\.1/, /--tls-server-name/);
      const args = [...trusting(), '--tls-server-name', 'db1'];
      await isRefused(contentOf(good), /for another name .*db1/, /--tls-server-name/, args);
    });

    it('if the certificate has expired', async () => {
      const old = authority.sign('old', { names: 'IP:127.0.0.1', days: -1 });
      await isRefused(contentOf(old), /not valid at this time .*expired/, /renew/);
    });

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`if the server demands a client certificate and none is given, by ${maxVersion}`, async () => {
        const options = { ...demanding(), maxVersion };
        await isRefused(options, /does not take what we show/, /--tls-cert/);
      });
    }

    it('even if a variable of Node turns certificate checks off', async () => {
      const before = await sessions();
      const result = await dump(endpoint, ['--tls'], {
        env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      });
      equal(result.code, 5);
      match(result.stderr, /nobody whom we trust/);
      equal(await sessions(), before);
    });

    it('if the server does not use TLS', async () => {
      const peer = await startProxy(server);
      const result = await dump(peer, trusting());
      failsWith(result, 5, /does not speak TLS/);
      match(result.stderr, /\nhint: .*box\.cfg\.listen/);
      await peer.stop();
    });

    it('if the server sends nothing', async () => {
      const peer = await startPeer(() => {});
      const result = await dump(peer, [...trusting(), '--connect-timeout', '1']);
      failsWith(result, 5, /did not complete the login within 1 s/);
      await peer.stop();
    });

    it('if the server closes the connection', async () => {
      const peer = await startPeer((socket) => socket.end());
      failsWith(await dump(peer, trusting()), 5, /before secure TLS connection/);
      await peer.stop();
    });

    it('if the server uses TLS and tntar does not, within --connect-timeout', async () => {
      const result = await dump(endpoint, ['--connect-timeout', '1']);
      failsWith(result, 5, /did not complete the login within 1 s/);
      match(result.stderr, /\nhint: .*--tls/);
    });
  });
});
