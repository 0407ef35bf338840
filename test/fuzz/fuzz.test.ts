import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzzFor } from './fuzzer.js';
import { found, functionOf, TARGETS } from './targets.js';

/** For each target; the long run is `npm run fuzz`. */
const SECONDS = 2;
/** Tried even by a machine that has other things to do. */
const LEAST_INPUTS = 64;

describe('fuzzing', () => {
  let corpus: string;
  let kept = 0;
  before(() => {
    corpus = mkdtempSync(join(tmpdir(), 'tntar-fuzz-'));
  });
  after(() => rmSync(corpus, { recursive: true }));

  for (const target of TARGETS) {
    for (const [name, input] of found(target)) {
      it(`no longer fails with ${name} of ${target}`, async () => {
        const fuzz = await functionOf(target);
        await fuzz(input);
      });
    }

    it(`finds no input that makes ${target} fail`, async () => {
      const { inputs, code, failure, ...fuzzed } = await fuzzFor(target, SECONDS, corpus);
      equal(failure, undefined, failure?.message);
      ok(inputs >= LEAST_INPUTS && code[0] > 0, `${inputs} inputs, ${code} bytes of code executed`);
      kept += fuzzed.kept;
    });
  }

  it('reaches more code than real archives and conversations', () => ok(kept > 0));
});
