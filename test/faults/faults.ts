import { runMocha } from './mocha.js';
import { readFaults } from './table.js';
import { judge } from './verdict.js';

/**
 * `npm run faults`
 *
 * Provokes every fault of test/FAULTS.md by the tests that it names, and prints what came of each. Ends
 * with 1 where one of these tests fails, or is not there.
 */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const faults = readFaults();
const tests = faults.flatMap((fault) => fault.tests);
const started = performance.now();
say(
  `${faults.length} faults of test/FAULTS.md, by ${tests.length} names of tests; this takes minutes`,
);
const report = await runMocha(tests, '--parallel', '--jobs', '2');

const counts = { pass: 0, FAIL: 0, 'not here': 0 };
for (const fault of faults) {
  const { state, seconds, notes } = judge(fault, report);
  counts[state]++;
  const took = state === 'not here' ? '' : `${seconds.toFixed(1)} s`;
  say(
    `${String(fault.number).padStart(2)}  ${state.padEnd(8)} ${took.padStart(7)}  ${fault.fault}`,
  );
  for (const note of notes) say(`${' '.repeat(22)}${note}`);
}
const seconds = Math.round((performance.now() - started) / 1000);
say(`${counts.pass} pass, ${counts.FAIL} fail, ${counts['not here']} not here, in ${seconds} s`);
process.exitCode = counts.FAIL === 0 ? 0 : 1;
