import { equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive, goodEntries, sealed, seekable } from '../support/archive-builder.js';
import { tntar } from '../support/cli.js';
import { failsWith } from './outcome.js';

const GOOD = sealed(goodEntries());
const [PLAIN, WHOLE] = [archive(GOOD), seekable(GOOD)];

describe('verify', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-verify-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const fileOf = (bytes: Buffer): string => {
    const file = join(folder, 'some.tar.zst');
    writeFileSync(file, bytes);
    return file;
  };

  it('accepts archives with and without a seek table', async () => {
    for (const bytes of [PLAIN, WHOLE]) {
      const { code, stderr } = await tntar(['verify', '-i', fileOf(bytes)]);
      equal(code, 0, stderr);
      match(stderr, /^tntar: verified 2 spaces with 5 rows/);
    }
  });

  it('refuses an archive with a wrong seek table, and says that no rows are lost', async () => {
    const wrong = Buffer.from(WHOLE);
    wrong[PLAIN.length + 8]! ^= 1;
    failsWith(await tntar(['verify'], { input: wrong }), 3, /the seek table is wrong/);
    const { code, stderr } = await tntar(['verify', '-i', fileOf(wrong)]);
    equal(code, 3);
    match(stderr, /^tntar: warning: damaged from byte [\d,]+ to the end: the seek table is wrong/);
    match(stderr, /^hint: nothing is lost/m);
    const chosen = await tntar(['verify', '--space', 'users', '-i', fileOf(wrong)]);
    equal(chosen.code, 3, 'also where some spaces are chosen');
  });
});
