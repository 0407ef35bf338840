import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Used } from './usage.js';

/** The wall time of a whole process, beside what it used. */
export interface Usage extends Used {
  seconds: number;
  stdout: string;
}

/** A Node program to measure. */
export interface Program {
  /** Path within `dist/`, e.g. `bin/tntar.js`. */
  script: string;
  args: readonly string[];
  /** Files for its standard streams. */
  stdin?: string;
  stdout?: string;
  /** The exit code that it must have; 0 by default. */
  exitCode?: number;
}

const DIST = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program to its end, and passes on its standard error. */
export async function measure({
  script,
  args,
  stdin,
  stdout,
  exitCode = 0,
}: Program): Promise<Usage> {
  const folder = mkdtempSync(join(tmpdir(), 'tntar-bench-'));
  const usageFile = join(folder, 'usage.json');
  const input = stdin === undefined ? 'ignore' : openSync(stdin, 'r');
  const output = stdout === undefined ? 'pipe' : openSync(stdout, 'w');
  try {
    const started = performance.now();
    const child = spawn(
      process.execPath,
      ['--import', join(DIST, 'benchmarks/usage.js'), join(DIST, script), ...args],
      {
        stdio: [input, output, 'inherit'],
        env: { ...process.env, TNTAR_BENCH_USAGE: usageFile },
      },
    );
    let printed = '';
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    const seconds = (performance.now() - started) / 1000;
    if (code !== exitCode) throw new Error(`${script} ${args.join(' ')}: exit code ${code}`);
    const usage = JSON.parse(readFileSync(usageFile, 'utf8')) as Used;
    return { seconds, ...usage, stdout: printed };
  } finally {
    for (const file of [input, output]) if (typeof file === 'number') closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the run with the middle wall time. */
export function median(runs: readonly Usage[]): Usage {
  const sorted = [...runs].sort((a, b) => a.seconds - b.seconds);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
