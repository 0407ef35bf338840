#!/usr/bin/env node
import { CommanderError } from 'commander';
import { buildProgram } from './commands/program.js';
import { hidePasswords } from './options/passwords.js';
import { Run } from './output/run.js';
import { watchOutput } from './output/standard-output.js';

const args = process.argv.slice(2);
hidePasswords(args);
const run = new Run(args);
const program = buildProgram(run);

// A closed stderr must not turn into a crash that hides the true outcome.
process.stderr.on('error', () => {});
watchOutput(run);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // It has printed by itself; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else run.end(error);
}
