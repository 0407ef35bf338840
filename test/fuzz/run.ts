import { parseArgs } from 'node:util';
import { fuzzFor } from './fuzzer.js';
import { TARGETS, type Target } from './targets.js';

/**
 * `npm run fuzz -- [--minutes N] [target ...]`
 *
 * Fuzzes each target for N minutes. What got far is in `.fuzz/`, and the next run goes on from there;
 * what made a target fail is in `test/fixtures/fuzz/`, and then the exit code is 1.
 */
const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const seconds = Math.ceil(60 * Number(values.minutes));
const unknown = positionals.find((each) => !TARGETS.some((target) => target === each));
if (unknown !== undefined || !(seconds > 0)) {
  process.stderr.write(`npm run fuzz -- [--minutes N] [${TARGETS.join('|')} ...]\n`);
  process.exit(2);
}

for (const target of positionals.length === 0 ? TARGETS : (positionals as Target[])) {
  const { inputs, kept, code, failure } = await fuzzFor(target, seconds, '.fuzz');
  const [before, after] = code;
  say(
    `${target}: ${inputs} inputs, ${kept} of them kept; ${after} bytes of code, ${after - before} new`,
  );
  if (failure === undefined) continue;
  say(`failed at ${Buffer.from(failure.input).toString('hex')}\n${failure.message}`);
  process.exitCode = 1;
}
