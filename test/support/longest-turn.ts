import { writeFileSync } from 'node:fs';

/** How often it is looked at, in milliseconds. */
const TICK_MS = 10;

/**
 * Loaded into a process with `--import`: writes the longest turn of its event loop when it ends, in milliseconds of
 * the processor, which do not grow where others use the machine.
 */
const file = process.env['TNTAR_LONGEST_TURN'];
if (file !== undefined) {
  let last = process.cpuUsage();
  let longest = 0;
  const look = (): void => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    longest = Math.max(longest, (user + system) / 1000);
  };
  setInterval(look, TICK_MS).unref();
  process.on('exit', () => {
    look();
    writeFileSync(file, JSON.stringify(longest));
  });
}
