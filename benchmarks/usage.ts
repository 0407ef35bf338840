import { writeFileSync } from 'node:fs';

/**
 * Loaded into a measured process with `--import`: writes what the whole process has used, threads
 * included, when it ends.
 */
const file = process.env['TNTAR_BENCH_USAGE'];
if (file !== undefined) {
  process.on('exit', () => writeFileSync(file, JSON.stringify(process.resourceUsage())));
}
