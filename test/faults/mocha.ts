import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NamedTests } from './table.js';

const TESTS = fileURLToPath(new URL('../', import.meta.url));
const MOCHA = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url));

/** A test, or a hook that failed, as mocha's reporter `json` tells of it. */
export interface Told {
  fullTitle: string;
  file: string;
  /** Milliseconds. */
  duration?: number;
  err: { message?: string };
}

/** What became of all that ran. */
export interface Report {
  passes: Told[];
  pending: Told[];
  failures: Told[];
}

/** The file that mocha runs for the tests of a row. */
export function builtFile({ file }: Pick<NamedTests, 'file'>): string {
  return join(TESTS, `${file}.test.js`);
}

/** Whether a test of mocha's is one of those that a row names. */
export function isNamed(told: Told, tests: NamedTests): boolean {
  return told.file === builtFile(tests) && told.fullTitle.includes(tests.title);
}

/**
 * Runs the named tests by mocha, in a process of its own, and tells what became of them.
 *
 * @param options - of mocha's command line, e.g. `--dry-run`
 */
export async function runMocha(
  tests: readonly NamedTests[],
  ...options: string[]
): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tntar-faults-'));
  const output = join(folder, 'report.json');
  const titles = new Set(tests.map(({ title }) => title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')));
  const files = new Set(tests.map(builtFile));
  try {
    const args = ['--no-config', '--timeout', '60000', '--grep', [...titles].join('|')];
    const report = ['--reporter', 'json', '--reporter-option', `output=${output}`];
    const mocha = spawn(process.execPath, [MOCHA, ...args, ...report, ...options, ...files], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await once(mocha, 'close');
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
