#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { VERSION } from '../lib/version.js';
import { catCommand } from './cat.js';
import { copyCommand } from './copy.js';
import { diffCommand } from './diff.js';
import { dumpCommand } from './dump.js';
import { DIFF_EXIT_NOTE, EXIT_HELP, finish } from './exit.js';
import { extractCommand } from './extract.js';
import { listCommand } from './list.js';
import { restoreCommand } from './restore.js';
import { hidePasswords, withoutPasswords } from './secrets.js';
import { verifyCommand } from './verify.js';

const args = process.argv.slice(2);
hidePasswords(args);

const EXAMPLES = `
Examples:
  tntar dump db1:3301 > backup.tar.zst
  tntar dump app@db1:3301 -o backup.tar.zst
  ssh db1 tntar dump | tee >(sha256sum >&2) > backup.tar.zst
  tntar verify < backup.tar.zst
  tntar restore admin@db2:3301 < backup.tar.zst
  tntar copy admin@db1:3301 admin@db2:3301
  tntar cat users --format csv < backup.tar.zst
  tntar diff backup.tar.zst admin@db2:3301
`;

const program = new Command('tntar')
  .description(
    'Logical backup of a live Tarantool database as one compressed stream, and its restore.',
  )
  .version(VERSION)
  .showHelpAfterError('(tntar --help shows what there is)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(withoutPasswords(text, args)) })
  .addHelpText('after', EXAMPLES + EXIT_HELP + DIFF_EXIT_NOTE);
const COMMANDS = [
  dumpCommand,
  restoreCommand,
  copyCommand,
  listCommand,
  verifyCommand,
  diffCommand,
  catCommand,
  extractCommand,
];
for (const command of COMMANDS.map((make) => make())) {
  program.addCommand(command.copyInheritedSettings(program));
}

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
