import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { builtFile, isNamed, type Report, runMocha } from './mocha.js';
import { readFaults } from './table.js';
import { judge } from './verdict.js';

/** The least number of faults. */
const FAULTS = 53;

describe('the list of faults', () => {
  const faults = readFaults();
  const named = faults.flatMap(({ number, tests }) => tests.map((test) => ({ ...test, number })));

  it('has each fault once, in order, with its outcome', () => {
    deepEqual(
      faults.map(({ number }) => number),
      faults.map((_, i) => i + 1),
    );
    ok(faults.length >= FAULTS);
    for (const { number, fault, outcome } of faults) ok(fault && outcome, `row ${number}`);
  });

  it('names tests for each fault, or gives the reason why it has none', () => {
    for (const { number, tests, reason } of faults) {
      ok(tests.length > 0 || reason !== undefined, `row ${number}`);
    }
  });

  it('names tests that exist', async () => {
    for (const test of named) ok(existsSync(builtFile(test)), `row ${test.number}: ${test.file}`);
    const { passes, pending } = await runMocha(named, '--dry-run');
    const missing = named.filter(
      (test) => ![...passes, ...pending].some((told) => isNamed(told, test)),
    );
    deepEqual(
      missing.map(({ number, file, title }) => `row ${number}: ${file}: ${title}`),
      [],
    );
  });
});

describe('a section of the list of faults', () => {
  const [row] = readFaults(
    '## 7. a | b\n\nit\nends\n\n- `cli/output: is full`\n- `cli/list: of b`\n',
  );
  const told = (file: string, fullTitle: string, message?: string) => ({
    fullTitle,
    file: builtFile({ file }),
    duration: 500,
    err: message === undefined ? {} : { message },
  });
  const output = told('cli/output', 'output that is full is a failure');
  const list = told('cli/list', 'list of b');
  const report = (given: Partial<Report>): Report => ({
    passes: [],
    pending: [],
    failures: [],
    ...given,
  });

  it('is read with its tests', () => {
    deepEqual(row, {
      number: 7,
      fault: 'a | b',
      outcome: 'it ends',
      tests: [
        { file: 'cli/output', title: 'is full' },
        { file: 'cli/list', title: 'of b' },
      ],
      reason: undefined,
    });
  });

  it('is read with the reason why it has no tests', () => {
    const [none] = readFaults('## 8. a\n\nb\n\n- Not here: it takes a\n  kernel that lies\n');
    deepEqual([none?.tests, none?.reason], [[], 'it takes a kernel that lies']);
    equal(judge(none!, report({})).state, 'not here');
  });

  const cases: [state: string, title: string, report: Report][] = [
    ['pass', 'where all its tests were passed', report({ passes: [output, list] })],
    ['pass', 'where one was skipped', report({ passes: [list], pending: [output] })],
    ['not here', 'where all were skipped', report({ pending: [output, list] })],
    ['FAIL', 'where one failed', report({ passes: [list], failures: [output] })],
    ['FAIL', 'where one did not run', report({ passes: [list] })],
    ['FAIL', 'where one ran in another file', report({ passes: [list, { ...output, file: 'x' }] })],
  ];
  for (const [state, title, given] of cases) {
    it(`is '${state}' ${title}`, () => equal(judge(row!, given).state, state));
  }

  it('has the seconds of its tests, and the first line of what was wrong', () => {
    const failures = [told('cli/list', 'list of b', 'expected 1\nbut got 2')];
    deepEqual(judge(row!, report({ passes: [output], failures })), {
      state: 'FAIL',
      seconds: 1,
      notes: ['cli/list: of b: expected 1'],
    });
  });
});
