import { equal, match, ok } from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../support/certificates.js';
import { shell, tntar } from '../support/cli.js';
import { startProxy } from '../support/proxy.js';
import { startServer, type TestServer } from '../support/server.js';
import { decompressed } from './outcome.js';
import { Running } from './running.js';

const BOB = 'bob';
const BOBS = 'h0rse-battery';
const SCHEMA = `
  box.schema.user.create('${BOB}', {password = '${BOBS}'})
  box.schema.user.grant('${BOB}', 'super')
  box.schema.space.create('numbers'):create_index('primary')
  box.space.numbers:insert({1})
`;

describe('secrets', () => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    server = await startServer({ lua: SCHEMA });
    folder = mkdtempSync(join(tmpdir(), 'tntar-secrets-'));
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const inAddress = (): string => `${BOB}:${BOBS}@${server.address}`;
  const passwordFile = (mode: number): string => {
    const file = join(folder, `password-${mode}`);
    writeFileSync(file, BOBS);
    chmodSync(file, mode);
    return file;
  };

  describe('a password in an address', () => {
    it('is removed from the list of processes', async () => {
      const proxy = await startProxy(server, { after: 300, fault: 'stall' });
      const dump = new Running(['dump', `${BOB}:${BOBS}@${proxy.address}`, '--timeout', '1']);
      await dump.until(() => proxy.open > 0);
      const cmdline = readFileSync(`/proc/${dump.pid}/cmdline`, 'utf8');
      ok(!cmdline.includes(BOBS), cmdline);
      match(cmdline, /^tntar dump bob:\*\*\*@127\.0\.0\.1:\d+ --timeout 1\0*$/);
      equal((await dump.end(8000)).code, 1);
      await proxy.stop();
    });

    it('is not repeated in messages about wrong usage', async () => {
      const address = `me:${BOBS}@db1`;
      for (const args of [
        [address],
        ['dump', `--source=${address}`],
        ['dump', '--source', address],
        ['dump', `--${address}`],
        ['dump', address, address],
        ['dump', '--level', address],
      ]) {
        const { code, stderr } = await tntar(args);
        equal(code, 2);
        ok(!stderr.includes(BOBS), stderr);
      }
    });

    it('is not printed by debugging aids of Node and of the driver', async () => {
      const debugging = { NODE_DEBUG: '*', DEBUG: '*', DEBUG_HIDE_DATE: '1' };
      for (const [address, env] of [
        [inAddress(), {}],
        [server.address, { TT_CLI_USERNAME: BOB, TT_CLI_PASSWORD: BOBS }],
      ] as const) {
        const { code, stderr } = await tntar(['dump', address], { env: { ...debugging, ...env } });
        equal(code, 0);
        match(stderr, /NET \d+: /);
        match(stderr, /tarantool-driver:main/);
        const lines = stderr.split('\n').filter((line) => line.includes(BOBS));
        equal(lines.join('\n'), '');
      }
    });
  });

  describe('a file with a secret', () => {
    const WARNING = /warning: every user of this machine can read the (.*) \/.*: chmod 600 it/;

    for (const [mode, isWarned] of [
      [0o600, false],
      [0o640, false],
      [0o604, true],
      [0o644, true],
    ] as const) {
      const outcome = isWarned ? 'warned about' : 'taken';
      it(`of mode ${mode.toString(8)} is ${outcome}`, async () => {
        const args = ['dump', '-q', `${BOB}@${server.address}`];
        const { code, stderr } = await tntar([...args, '--password-file', passwordFile(mode)]);
        equal(code, 0, stderr);
        equal(WARNING.exec(stderr)?.[1], isWarned ? 'password file' : undefined);
      });
    }

    it('may be a pipe', async () => {
      const line = `tntar dump -q ${BOB}@${server.address} --password-file <(echo ${BOBS})`;
      const { code, stderr } = await shell(`${line} | tntar verify -q`);
      equal(code, 0, stderr);
      equal(stderr, '');
    });

    it('may also be the key of a certificate', async () => {
      const { cert, key } = new Authority(folder, 'us');
      chmodSync(key, 0o644);
      const args = ['--tls-ca', cert, '--tls-cert', cert, '--tls-key', key];
      const { code, stderr } = await tntar(['dump', '-q', '127.0.0.1:1', ...args]);
      equal(code, 5);
      equal(WARNING.exec(stderr)?.[1], 'private key');
    });
  });

  describe('the key of masks', () => {
    const dumpWith = (file: string): ReturnType<typeof tntar> => {
      const args = ['--mask', 'none.name=hash', '--mask-key-file', file];
      return tntar(['dump', '-q', inAddress(), ...args]);
    };

    it('causes a warning if everybody can read it', async () => {
      for (const [mode, isWarned] of [
        [0o600, false],
        [0o644, true],
      ] as const) {
        const file = join(folder, `key-${mode}`);
        writeFileSync(file, Buffer.alloc(32, 7));
        chmodSync(file, mode);
        const { stderr } = await dumpWith(file);
        equal(/every user of this machine can read the key of the masks/.test(stderr), isWarned);
        match(stderr, /space 'none' does not exist/);
      }
    });

    it('is created by the command in the hint so that nobody else can read it', async () => {
      const file = join(folder, 'new-key');
      writeFileSync(file, 'short');
      const { code, stderr } = await dumpWith(file);
      equal(code, 2);
      const [, command = ''] = /hint: .*: (\(umask.*\))$/m.exec(stderr) ?? [];
      rmSync(file);
      equal((await shell(command)).code, 0);
      equal(statSync(file).mode & 0o777, 0o600);
    });
  });

  describe('hashes of passwords', () => {
    it('are kept in an archive, and never printed in a message or a listing', async () => {
      const hash = await server.eval<string>(
        `return box.space._user.index.name:get('${BOB}').auth['chap-sha1']`,
      );
      const { stdout: input } = await tntar(['dump', '-q', inAddress()]);
      ok(decompressed(input).includes(hash));
      const target = await startServer();
      for (const [args, expected] of [
        [['list'], 0],
        [['list', '--json'], 0],
        [['verify'], 0],
        [['restore', target.uri, '--dry-run'], 0],
        [['restore', target.uri], 0],
        [['restore', target.uri], 4],
      ] as const) {
        const { code, stdout, stderr } = await tntar(args, { input });
        equal(code, expected, stderr);
        ok(!`${stdout}${stderr}`.includes(hash), `${args.join(' ')}: ${stdout}${stderr}`);
      }
      await target.stop();
    });

    it('are left out of an archive of --data-only or of selected spaces', async () => {
      for (const args of [['--data-only'], ['--space', 'numbers']]) {
        const { code, stdout, stderr } = await tntar(['dump', '-q', inAddress(), ...args]);
        equal(code, 0, stderr);
        ok(!decompressed(stdout).includes('chap-sha1'));
      }
    });
  });
});
