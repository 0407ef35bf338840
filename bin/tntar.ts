#!/usr/bin/env node
import { CommanderError } from 'commander';
import { finish } from './exit.js';
import { buildProgram } from './program.js';
import { hidePasswords } from './secrets.js';

const args = process.argv.slice(2);
hidePasswords(args);
const program = buildProgram(args);

// A closed stderr must not turn into a crash that hides the true outcome. A closed or full stdout is an
// error of the command's where one writes an archive; it is ours where it meets a table, or help.
process.stderr.on('error', () => {});
let isSettled = false;
let outputError: Error | undefined;
process.stdout.on('error', (error) => {
  outputError ??= error;
  if (isSettled) finish(error);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // It has printed by itself; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else finish(error);
}
isSettled = true;
if (outputError !== undefined) finish(outputError);
