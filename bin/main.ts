import { CommanderError } from 'commander';
import { buildProgram } from './commands/program.js';
import { Run } from './output/run.js';
import { watchOutput } from './output/standard-output.js';
import type { Surroundings } from './output/surroundings.js';

/**
 * Runs the command.
 *
 * @param args - of the command line, behind the name of the program
 * @param surroundings - the process, or what stands for it
 * @returns the run. If it is over, `surroundings.exit` was called, or will be when its last words are written; otherwise
 *   `surroundings.exitCode` says how it ended
 * @example await main(process.argv.slice(2), process);
 */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<Run> {
  const run = new Run(args, surroundings);
  const program = buildProgram(run);
  // A closed stderr must not turn into a crash that hides the true outcome.
  surroundings.stderr.on('error', () => {});
  watchOutput(run);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    // It has printed by itself; help and version are no errors.
    if (error instanceof CommanderError) surroundings.exitCode = error.exitCode === 0 ? 0 : 2;
    else run.end(error);
  }
  return run;
}
