import { deepEqual, equal } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scratch } from '../../../lib/base/scratch.js';

describe('a temporary file', () => {
  const usual = process.env['TMPDIR'];
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-scratch-'));
    process.env['TMPDIR'] = folder;
  });
  after(() => {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    rmSync(folder, { recursive: true });
  });

  it('has no name as soon as it is open, so that a killed run leaves none, and keeps its bytes', async () => {
    const scratch = new Scratch();
    const file = scratch.file();
    deepEqual(readdirSync(folder), []);
    await file.append(Buffer.from('some '));
    await file.append(Buffer.from('bytes'));
    equal(String(await file.read(2, 8)), 'me byt');
    deepEqual(readdirSync(folder), []);
    await scratch.close();
  });
});
