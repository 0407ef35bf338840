import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobs } from '../cli/blobs.js';
import { withServer } from '../cli/with-server.js';
import { type Result, shell } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { sshdIsMissing, startSshd, type TestSshd } from '../support/sshd.js';

const SCHEMA = `${blobs(10)} box.schema.user.grant('guest', 'super')`;

describe('pipes over ssh', () => {
  let sshd: TestSshd;
  let server: TestServer;
  let folder: string;
  before(async function () {
    const reason = sshdIsMissing();
    if (reason !== undefined) {
      process.stderr.write(`      ${reason}\n`);
      this.skip();
    }
    sshd = await startSshd();
    server = await startServer({ lua: SCHEMA });
    folder = mkdtempSync(join(tmpdir(), 'tntar-ssh-'));
  });
  after(async () => {
    await sshd?.stop();
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  const sh = async (line: string): Promise<Result> => {
    const result = await shell(line, { cwd: folder, timeoutMs: 20_000 });
    return { ...result, stderr: result.stderr + (result.code === 255 ? sshd.log() : '') };
  };

  it('ssh db1 tntar dump > file writes a whole backup', async () => {
    const { code, stdout, stderr } = await sh(
      `${sshd.ssh} db1 tntar dump ${server.port} > a.tar.zst`,
    );
    equal(code, 0, stderr);
    equal(String(stdout), '');
    match(stderr, /^tntar: reading from a snapshot.*\ntntar: dumped 2 spaces with 10,010 rows/);
    equal((await sh('tntar verify < a.tar.zst')).code, 0);
  });

  it('ssh db1 tntar restore < file restores it into another server', async () => {
    await withServer({ lua: "box.schema.user.grant('guest', 'super')" }, async (target) => {
      const line = `${sshd.ssh} db1 tntar restore ${target.port} < a.tar.zst`;
      const { code, stderr } = await sh(line);
      equal(code, 0, stderr);
      deepEqual(await fingerprint(target), await fingerprint(server));
    });
  });

  it('the exit code of the remote command arrives', async () => {
    equal((await sh(`${sshd.ssh} db1 tntar dump 1 > b.tar.zst`)).code, 5);
    equal((await sh(`${sshd.ssh} db1 tntar restore ${server.port} < a.tar.zst`)).code, 4);
    equal((await sh(`head -c 100 a.tar.zst | ${sshd.ssh} db1 tntar verify`)).code, 3);
    equal((await sh(`${sshd.ssh} db1 tntar dump --nonsense`)).code, 2);
  });

  it('a terminal at the other end is no place for an archive', async () => {
    const { code, stdout } = await sh(`${sshd.ssh} -tt db1 tntar dump ${server.port} < /dev/null`);
    equal(code, 2);
    match(String(stdout), /^tntar: standard output is a terminal/);
  });

  it('a missing password is an error at once', async () => {
    const { code, stderr } = await sh(
      `${sshd.ssh} db1 tntar dump admin@${server.port} > c.tar.zst`,
    );
    equal(code, 5);
    match(stderr, /^tntar: cannot log in .* as 'admin'.*\nhint: .*TT_CLI_PASSWORD/);
  });

  it('an interrupted ssh leaves an output that verify and restore reject', async () => {
    await sh(`${sshd.ssh} db1 tntar dump -q ${server.port} | head -c 9000000 > cut.tar.zst`);
    equal((await sh('tntar verify < cut.tar.zst')).code, 3);
    deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('cut')),
      ['cut.tar.zst'],
    );
  });
});
