import { deepEqual, equal, match } from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { failsWith, hasNoTrace } from './outcome.js';

const FILTERING_COMMANDS = ['dump', 'restore'];
const SERVER_COMMANDS = [...FILTERING_COMMANDS, 'diff'];
/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1';

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-files-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('an input file that does not exist is wrong usage', async () => {
    for (const args of [['verify'], ['list'], ['restore', '1']]) {
      failsWith(await tntar([...args, '-i', join(folder, 'none')]), 2, /cannot read.*ENOENT.*none/);
    }
  });

  it('an input that is a folder is wrong usage', async () => {
    for (const args of [['verify'], ['list']]) {
      failsWith(await tntar([...args, '-i', folder]), 2, /director/i);
    }
  });

  it('a password file that does not exist is wrong usage', async () => {
    const missing = join(folder, 'none');
    for (const command of SERVER_COMMANDS) {
      const sides = command === 'diff' ? [`me@${NOWHERE}`, NOWHERE] : [`me@${NOWHERE}`];
      const result = await tntar([command, ...sides, '--password-file', missing]);
      failsWith(result, 2, /cannot read the password file.*ENOENT/);
    }
  });

  it('a key of masks without a mask is wrong usage', async () => {
    const key = join(folder, 'key');
    writeFileSync(key, Buffer.alloc(32));
    for (const command of FILTERING_COMMANDS) {
      const args = [command, NOWHERE, '--mask-key-file', key];
      failsWith(await tntar([...args, ...(command === 'dump' ? [] : ['-i', key])]), 2, /--mask\b/);
    }
  });

  it('an output that already exists is left unchanged, before any prompt or connection', async () => {
    const file = join(folder, 'backup.tar.zst');
    writeFileSync(file, 'precious');
    failsWith(await tntar(['dump', `me@${NOWHERE}`, '-o', file]), 2, /backup\.tar\.zst exists/);
    equal(readFileSync(file, 'utf8'), 'precious');
    deepEqual(readdirSync(folder), ['backup.tar.zst']);
  });

  it('an output in a folder that does not exist is an ordinary error', async () => {
    const file = join(folder, 'none', 'backup.tar.zst');
    const { code, stdout, stderr } = await tntar(['dump', NOWHERE, '-o', file]);
    hasNoTrace(stderr);
    match(stderr, /^tntar: .*ENOENT.*none/);
    equal(code, 2);
    equal(String(stdout), '');
  });

  it('an output whose server cannot be reached leaves nothing behind', async () => {
    failsWith(await tntar(['dump', NOWHERE, '-o', join(folder, 'a')]), 5, /ECONNREFUSED/);
    deepEqual(readdirSync(folder), []);
  });

  it('a dangling link is refused as the name of an output', async () => {
    const file = join(folder, 'link');
    symlinkSync('nowhere', file);
    failsWith(await tntar(['dump', `me@${NOWHERE}`, '-o', file]), 2, /link exists/);
  });
});
