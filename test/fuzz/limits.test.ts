import { deepEqual, ok } from 'node:assert/strict';
import { fuzzLimits } from './limits.js';

/** The long run is `npm run fuzz -- limits`. */
const SECONDS = 5;
const COMMANDS = 3;

describe('commands on archives and replies at the limits', () => {
  // The same archives each time: what others show is for the long run.
  const seed = Number(process.env['SEED'] ?? 11);

  it(`keep to their memory, exit codes and signals (SEED=${seed})`, async () => {
    const { runs, findings } = await fuzzLimits(SECONDS, seed, COMMANDS);
    deepEqual(findings, []);
    ok(runs > 0);
  });
});
