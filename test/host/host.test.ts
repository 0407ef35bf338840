import { deepEqual, equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DamageResult } from './program.js';

const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url));

describe('a program that imports this package', () => {
  let found: DamageResult;

  before(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM]);
    found = JSON.parse(stdout);
  });

  it('packs and unpacks its own data with msgpackr as before', () => {
    // regression: extensions were registered for all of the process, also where msgpackr has its own
    deepEqual(found.misread, []);
  });

  it('may give the extension types of Tarantool a meaning of its own', () => {
    const carried = Array.from({ length: 8 }, (_, i) => `${i + 1} aa0${i}`);
    deepEqual(found.extensions, carried);
    deepEqual(found.again, carried);
    equal(found.binary, 'c4020102');
  });

  it('keeps its globals, listeners, environment and the methods of common objects', () => {
    // regression: the driver assigns the globals `t` and `k`
    deepEqual(found.changed, []);
  });
});
