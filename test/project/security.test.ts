import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blobs } from '../cli/blobs.js';
import { pageAt } from '../docs/pages.js';
import { type Result, shell } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECURITY = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const [DUMP = '', RESTORE = ''] = pageAt('docs/guides/sign-and-encrypt.md').blocks.map(
  ({ text }) => text,
);
const testsIn = (text: string): string[] =>
  [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, file]) => file ?? '');
const ENCRYPTED = 'db1.tar.zst.gpg';

describe('SECURITY.md', () => {
  it('names a test that exists behind each promise', () => {
    const section = /^## Promises$.*?(?=^## )/ms.exec(SECURITY)?.[0] ?? '';
    const promises = section.split(/^- /m).slice(1);
    ok(promises.length > 20);
    for (const promise of promises) notEqual(testsIn(promise).length, 0, promise);
  });

  it('names no test that does not exist', () => {
    const files = testsIn(SECURITY);
    ok(files.length > 20);
    for (const file of files) ok(existsSync(join(ROOT, file)), file);
  });

  describe('leads to a guide that shows how to sign and encrypt', () => {
    let db1: TestServer;
    let folder: string;
    let env: NodeJS.ProcessEnv;
    before(async () => {
      db1 = await startServer({ lua: blobs(4) });
      folder = mkdtempSync(join(tmpdir(), 'tntar-gpg-'));
      const GNUPGHOME = join(folder, 'gnupg');
      mkdirSync(GNUPGHOME, { mode: 0o700 });
      env = { GNUPGHOME, TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
      for (const who of ['ops', 'backup', 'mallory']) {
        const key = `--quick-generate-key ${who}@example.org default default never`;
        await works(`gpg --batch --quiet --passphrase '' --pinentry-mode loopback ${key}`);
      }
      await works('gpg --export backup@example.org > signer.gpg');
      await works(DUMP.replace('db1:3301', db1.address));
    });
    after(async () => {
      await shell('gpgconf --kill gpg-agent', { env });
      await db1.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const file = (name: string): string => join(folder, name);
    const works = async (line: string, cwd = folder): Promise<void> => {
      const { code, stderr } = await shell(`set -e\n${line}`, { cwd, env });
      equal(code, 0, stderr);
    };

    /** Restores as it is shown, after something was done to a copy of the files. */
    async function restored(
      spoil: (folder: string) => unknown,
      check: (result: Result, target: TestServer) => Promise<void>,
      command = RESTORE,
    ): Promise<void> {
      const copy = mkdtempSync(file('copy-'));
      for (const name of [ENCRYPTED, `${ENCRYPTED}.sig`, 'signer.gpg']) {
        copyFileSync(file(name), join(copy, name));
      }
      await spoil(copy);
      const target = await startServer();
      try {
        const line = command.replace('db2:3301', target.address);
        await check(await shell(line, { cwd: copy, env }), target);
      } finally {
        await target.stop();
      }
    }

    it('and a backup that was signed and encrypted is restored, to the byte', async () => {
      await restored(
        () => {},
        async ({ code, stderr }, target) => {
          equal(code, 0, stderr);
          match(stderr, /Good signature from "backup@example\.org"/);
          deepEqual(await fingerprint(target), await fingerprint(db1));
        },
      );
    });

    it('and the encrypted file shows nothing of the archive', async () => {
      const { code } = await shell(`tntar verify < ${ENCRYPTED}`, { cwd: folder });
      equal(code, 3);
    });

    const flip = (path: string, at: number): void => {
      const bytes = readFileSync(path);
      bytes[at < 0 ? bytes.length + at : at]! ^= 1;
      writeFileSync(path, bytes);
    };
    const signedByMallory =
      `rm ${ENCRYPTED}.sig; ` +
      `gpg --quiet --local-user mallory@example.org --detach-sign ${ENCRYPTED}`;

    const attacks: [title: string, spoil: (folder: string) => unknown][] = [
      ['was changed in the middle', (copy) => flip(join(copy, ENCRYPTED), 1_000_000)],
      ['was changed in its last byte', (copy) => flip(join(copy, ENCRYPTED), -1)],
      ['was cut', (copy) => truncateSync(join(copy, ENCRYPTED), 2_000_000)],
      ['got something behind its end', (copy) => appendFileSync(join(copy, ENCRYPTED), 'more')],
      ['has another signature', (copy) => flip(join(copy, `${ENCRYPTED}.sig`), -10)],
      ['lost its signature', (copy) => rmSync(join(copy, `${ENCRYPTED}.sig`))],
      ['was signed by somebody else', (copy) => works(signedByMallory, copy)],
    ];
    for (const [title, spoil] of attacks) {
      it(`and nothing is restored of a backup that ${title}`, async () => {
        await restored(spoil, async ({ code, stderr }, target) => {
          notEqual(code, 0);
          ok(!/tntar: /.test(stderr), stderr);
          deepEqual(await fingerprint(target), {});
        });
      });
    }

    it('and is right that gpg alone hands on data before it has checked them', async () => {
      const alone = RESTORE.replace(/gpgv.*\n/, '');
      await restored(
        (copy) => flip(join(copy, ENCRYPTED), -1),
        async ({ code }, target) => {
          notEqual(code, 0);
          notEqual(Object.keys(await fingerprint(target)).length, 0);
        },
        alone,
      );
    });
  });
});
