import { deepEqual, ok } from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { fuzzLimits } from './limits.js';

/** The long run is `npm run fuzz -- limits`. */
const SECONDS = 5;
const COMMANDS = 3;

describe('commands on archives and replies at the limits', () => {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));

  it(`keep to their memory, exit codes and signals (SEED=${seed})`, async function () {
    this.timeout(240_000); // a command at a limit takes its time on a busy machine
    const { runs, findings } = await fuzzLimits(SECONDS, seed, COMMANDS);
    deepEqual(findings, []);
    ok(runs > 0);
  });
});
