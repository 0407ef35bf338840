import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, type RunOptions, tntar } from './cli.js';

/** A run, and the most memory that its process ever had resident. */
export interface Measured extends Result {
  peakMiB: number;
}

/** Leaves behind what the kernel says of the process when it ends, whatever with. */
const hook = (file: string): string => `
  import { readFileSync, writeFileSync } from 'node:fs';
  process.on('exit', () => writeFileSync('${file}', readFileSync('/proc/self/status')));`;

/**
 * Runs `tntar` to its end, and tells how much memory it took. A process that dies without a word, such as
 * one that V8 gives up on, fails the call.
 */
export async function tntarMeasured(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'tntar-peak-'));
  const file = join(folder, 'status');
  try {
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook(file))}`;
    const result = await tntar(args, { ...options, env: { ...options.env, NODE_OPTIONS } });
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1];
    return { ...result, peakMiB: Number(peak) / 1024 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
