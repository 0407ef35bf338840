import { deepEqual, equal, match } from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../fixtures/folder.js';
import { type Result, shell } from '../support/cli.js';
import { failsWith } from './outcome.js';
import { withServer } from './with-server.js';

/** Every call that prints text without a server; `a` and `b` are archives. */
const CALLS = [
  'list -i a',
  'list -i a --schema',
  'list -i a --json',
  'list < a',
  'cat orders -i a',
  'diff a b',
  'diff a b --rows',
  'diff a b --json',
  'completion bash',
  'help dump',
  '--help',
];
const STATUS = `echo "\${PIPESTATUS[*]}" >&2`;

describe('text on standard output', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-text-output-'));
    copyFileSync(fixturePath('2.6.0-full.tar.zst'), join(folder, 'a'));
    copyFileSync(fixturePath('2.6.0-plain.tar.zst'), join(folder, 'b'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const sh = (line: string): Promise<Result> => shell(line, { cwd: folder });

  describe('with a reader that closes early, as head does,', () => {
    for (const call of CALLS) {
      it(`ends silently with exit code 141: ${call}`, async () => {
        // The reader has gone before anything is written.
        const { stdout, stderr } = await sh(
          `{ sleep 0.2; tntar ${call}; echo $? > status; } | true; cat status`,
        );
        deepEqual([String(stdout), stderr], ['141\n', '']);
      });
    }

    it('ends silently in the middle of a long text', async () => {
      const { stderr } = await sh(`tntar completion zsh | head -n 1 > head; ${STATUS}`);
      match(stderr, /^(0|141) 0\n$/);
    });

    it('ends a dry run silently', async () => {
      await withServer({}, async ({ uri }) => {
        const { stdout, stderr } = await sh(
          `{ sleep 0.2; tntar restore -q ${uri} -i a --dry-run; echo $? > status; } | true; cat status`,
        );
        deepEqual([String(stdout), stderr], ['141\n', '']);
      });
    });
  });

  describe('that is closed from the start, as by >&-,', () => {
    for (const call of [...CALLS, 'restore 127.0.0.1:1 -i a --dry-run']) {
      it(`is refused before any work: ${call}`, async () => {
        failsWith(await sh(`tntar ${call} >&-`), 2, /^tntar: standard output is closed/);
      });
    }

    it('is not needed by a command that prints nothing there', async () => {
      const { code, stderr } = await sh(
        'tntar verify -q -i a >&- && tntar extract -q -i a -C extracted --all >&-',
      );
      deepEqual([code, stderr], [0, '']);
    });

    it('is not needed by a program that asks for the version to find out if tntar is installed', async () => {
      equal((await sh('tntar --version >&-')).code, 0);
    });

    it('cannot be told from a /dev/null that is open for reading as well, and the hint says so', async () => {
      const result = await sh('tntar list -i a 1<>/dev/null');
      failsWith(result, 2, /\nhint: .*\/dev\/null \(open for writing only\)/);
    });

    it('may be /dev/null in every way that a shell can open it', async () => {
      for (const line of [
        'tntar list -i a > /dev/null',
        'tntar list -i a >> /dev/null',
        'tntar cat orders -i a &> /dev/null',
        'tntar --help > /dev/null 2>&1',
      ]) {
        equal((await sh(line)).code, 0, line);
      }
    });
  });
});
