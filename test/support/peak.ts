import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Used } from '../../benchmarks/usage.js';
import { type Result, type RunOptions, tntar } from './cli.js';

/** A run, and the most memory that its process ever had resident. */
export interface Measured extends Result {
  peakMiB: number;
}

/** Writes what a process has used when it ends, whatever with. */
const USAGE = new URL('../../benchmarks/usage.js', import.meta.url).href;

/**
 * Runs `tntar` to its end, and tells how much memory it took. A process that dies without a word, such as
 * one that V8 gives up on, fails the call.
 */
export async function tntarMeasured(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'tntar-peak-'));
  const file = join(folder, 'usage.json');
  try {
    const env = { ...options.env, NODE_OPTIONS: `--import=${USAGE}`, TNTAR_BENCH_USAGE: file };
    const result = await tntar(args, { ...options, env });
    const { peakMiB } = JSON.parse(readFileSync(file, 'utf8')) as Used;
    return { ...result, peakMiB };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
