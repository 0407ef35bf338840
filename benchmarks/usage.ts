import { readFileSync, writeFileSync } from 'node:fs';

/** What a process used. */
export interface Used {
  cpuSeconds: number;
  /** Highest resident memory. */
  peakMiB: number;
}

/**
 * Loaded into a measured process with `--import`: writes what the whole process has used, threads
 * included, when it ends.
 */
const file = process.env['TNTAR_BENCH_USAGE'];
if (file !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
    writeFileSync(file, JSON.stringify({ cpuSeconds, peakMiB: peakMiB() }));
  });
}

/** Not `maxRSS`, which begins with that of the process which started this one. */
function peakMiB(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) / 1024;
}
