import { deepEqual, equal } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarHeader } from '../support/archive-builder.js';
import { hasNamelessFile } from './nameless.js';
import { Running } from './running.js';

describe('a run that SIGKILL ends while it unpacks a tar', () => {
  it('leaves no file', async () => {
    const TMPDIR = mkdtempSync(join(tmpdir(), 'tntar-killed-'));
    try {
      const verify = new Running(['verify'], { env: { TMPDIR } });
      verify.stdin.write(Buffer.concat([tarHeader({ name: '280.dump', size: '00000001000' })]));
      verify.stdin.write(Buffer.alloc(300));
      await verify.until(() => hasNamelessFile(verify.pid, TMPDIR));
      verify.kill('SIGKILL');
      equal((await verify.end(5000)).signal, 'SIGKILL');
      deepEqual(readdirSync(TMPDIR), []);
    } finally {
      rmSync(TMPDIR, { recursive: true });
    }
  });
});
