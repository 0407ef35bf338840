import { mkdtempSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Violation } from './checks.js';
import { Soak } from './run.js';

/**
 * `npm run soak -- [--minutes N] [--seed S] [--ballast MB] [--writers N]`
 *
 * Shows that no row is lost while writers write and everything around a backup fails. Exits with 1, and
 * keeps the archive that shows it, where something is wrong. Ctrl-C ends it early, and prints the figures
 * up to then.
 */
const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    ballast: { type: 'string', default: '4' },
    writers: { type: 'string', default: '3' },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @param least - what it has to be at least */
function numberOf(name: keyof typeof options, least: number): number {
  const value = Number(options[name]);
  if (value >= least && Number.isFinite(value)) return value;
  say(`--${name} has to be a number from ${least} on`);
  process.exit(2);
}

/** @returns the name of a file that stays */
function keep(archive: Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tntar-soak-')), 'archive.tar.zst');
  writeFileSync(file, archive, { mode: 0o600 });
  return file;
}

let soak: Soak | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say(`\nstopped by ${signal}${soak === undefined ? '' : `\n\n${soak.figures}`}`);
    // what was started and made goes with the process
    process.exit(128 + constants.signals[signal]);
  });
}
soak = await Soak.start({
  minutes: numberOf('minutes', 0),
  seed: numberOf('seed', 0),
  ballast: numberOf('ballast', 1),
  writers: numberOf('writers', 1),
  say,
});
say(`${soak.title}, ${options.minutes} minutes`);
try {
  await soak.run();
  say(`\n${soak.figures}`);
} catch (error) {
  say(`\n${soak.figures}`);
  say(`\nFAILED with seed ${options.seed}: ${error instanceof Error ? error.message : error}`);
  if (error instanceof Violation && error.archive !== undefined) {
    say(`the archive that shows it: ${keep(error.archive)}`);
  }
  process.exitCode = 1;
}
