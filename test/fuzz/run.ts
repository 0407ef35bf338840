import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzzFor } from './fuzzer.js';
import { fuzzLimits } from './limits.js';
import { TARGETS, type Target } from './targets.js';

/**
 * `npm run fuzz -- [--minutes N] [target ...]`
 *
 * Fuzzes each target for N minutes. What got far is in `.fuzz/`, and the next run goes on from there;
 * what made a target fail is in `test/fixtures/fuzz/`, and then the exit code is 1.
 *
 * The target `limits` is not among those that run by default. It runs commands on archives at the limits of
 * SECURITY.md, and tells its seed: `SEED=123 npm run fuzz -- limits` repeats a run.
 */
const LIMITS = 'limits';
/** Commands for each archive. */
const COMMANDS = 6;

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const seconds = Math.ceil(60 * Number(values.minutes));
const all = [...TARGETS, LIMITS];
const unknown = positionals.find((each) => !all.includes(each));
if (unknown !== undefined || !(seconds > 0)) {
  process.stderr.write(`npm run fuzz -- [--minutes N] [${all.join('|')} ...]\n`);
  process.exit(2);
}

if (positionals.includes(LIMITS)) {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
  say(`${LIMITS}: SEED=${seed}`);
  const { runs, findings } = await fuzzLimits(seconds, seed, COMMANDS, say);
  say(`${LIMITS}: ${runs} runs, ${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}

const chosen = positionals.filter((each) => each !== LIMITS) as Target[];
for (const target of positionals.length === 0 ? TARGETS : chosen) {
  const { inputs, kept, code, failure } = await fuzzFor(target, seconds, '.fuzz');
  const [before, after] = code;
  say(
    `${target}: ${inputs} inputs, ${kept} of them kept; ${after} bytes of code, ${after - before} new`,
  );
  if (failure === undefined) continue;
  say(`failed at ${Buffer.from(failure.input).toString('hex')}\n${failure.message}`);
  process.exitCode = 1;
}
