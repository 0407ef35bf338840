#!/usr/bin/env node
import { CommanderError } from 'commander';
import { buildProgram } from './commands/program.js';
import { hidePasswords } from './options/passwords.js';
import { finish } from './output/exit.js';
import { watchOutput } from './output/standard-output.js';

const args = process.argv.slice(2);
hidePasswords(args);
const program = buildProgram(args);

// A closed stderr must not turn into a crash that hides the true outcome.
process.stderr.on('error', () => {});
watchOutput();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // It has printed by itself; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else finish(error);
}
