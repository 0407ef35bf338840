import { Command, Help, type Option } from 'commander';
import { VERSION } from '../../lib/base/version.js';
import { refuseEmptyValues } from '../options/empty-values.js';
import { withoutPasswords } from '../options/passwords.js';
import { DIFF_EXIT_NOTE, EXIT_HELP } from '../output/exit.js';
import { Run } from '../output/run.js';
import { textOutput } from '../output/standard-output.js';
import { catCommand } from './cat.js';
import { completionCommand } from './completion.js';
import { copyCommand } from './copy.js';
import { diffCommand } from './diff.js';
import { dumpCommand } from './dump.js';
import { extractCommand } from './extract.js';
import { listCommand } from './list.js';
import { restoreCommand } from './restore.js';
import { verifyCommand } from './verify.js';

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

const COMMANDS = [
  dumpCommand,
  restoreCommand,
  copyCommand,
  listCommand,
  verifyCommand,
  diffCommand,
  catCommand,
  extractCommand,
  completionCommand,
];

/** Writes help, or the version. Programs ask for the version to see whether tntar is installed, and throw it away. */
function writeOut(run: Run, text: string): void {
  const output = text === `${VERSION}\n` ? run.process.stdout : textOutput(run);
  output.write(text);
}

/** Describes an option for the help, without the default of a flag: a flag that is not given is off. */
function optionDescription(this: Help, option: Option): string {
  if (option.defaultValue === false) return option.description;
  return Help.prototype.optionDescription.call(this, option);
}

/**
 * All that can be called, and what help says of it. Runs nothing: completion and manual are made of it, too.
 *
 * @param run - reports what a command does, and how it ends
 * @example const names = buildProgram().commands.map((command) => command.name());
 */
export function buildProgram(run = new Run()): Command {
  const program = new Command('tntar')
    .description('Back up a live Tarantool database as one compressed stream, and restore it.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ optionDescription })
    .showHelpAfterError('(tntar --help lists all commands)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeOut(run, text),
      writeErr: (text) => run.process.stderr.write(text),
      outputError: (text, write) => write(withoutPasswords(text, run.args)),
    })
    .addHelpText('after', EXAMPLES + EXIT_HELP + DIFF_EXIT_NOTE);
  for (const make of COMMANDS) {
    const command = make(run).copyInheritedSettings(program);
    command.showHelpAfterError(`(tntar ${command.name()} --help lists its arguments and options)`);
    refuseEmptyValues(command);
    program.addCommand(command);
  }
  return program;
}
