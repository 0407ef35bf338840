import { readFileSync, writeFileSync } from 'node:fs';

/** The resources that a process used. */
export interface Used {
  cpuSeconds: number;
  /** Highest resident memory. */
  peakMiB: number;
}

/**
 * A module that is loaded into a measured process with `--import`. At the end of the process, it writes the
 * resources that the process used, threads included.
 */
const file = process.env['TNTAR_BENCH_USAGE'];
if (file !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
    writeFileSync(file, JSON.stringify({ cpuSeconds, peakMiB: peakMiB() }));
  });
}

/** The peak of this process. `maxRSS` would begin with that of the process which started it. */
function peakMiB(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) / 1024;
}
