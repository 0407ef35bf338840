import { resolve } from 'node:path';
import { Command } from 'commander';
import { TntarError } from '../lib/errors.js';
import { EXIT_HELP } from './exit.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from './filter-options.js';
import { addReportOptions, type ReportFlags, reportOf } from './report-options.js';
import { interruptible } from './signals.js';

interface Flags extends ChoiceFlags, ReportFlags {
  directory: string;
  input?: string;
  all: boolean;
}

const EXAMPLES = `
Examples:
  tntar extract -C lua-dump -i backup.tar.zst
  tntar dump db1:3301 | tntar extract -C lua-dump --space 'app_*'
  tntar extract -C unpacked --all -i backup.tar.zst && tntar verify -i unpacked
`;

/** What is written gets the name at the end, and the folder that had it is another one then. */
function checkPlace(directory: string): void {
  if (resolve(directory) !== process.cwd()) return;
  throw new TntarError('usage', '-C is the working directory, which cannot be replaced', {
    hint: 'name a directory in it or beside it',
  });
}

async function run(flags: Flags): Promise<void> {
  const report = reportOf(flags);
  checkPlace(flags.directory);
  const { extractFrom } = await import('../lib/extract.js');
  const { originOf } = await import('./origins.js');
  try {
    const rewrites = await choiceOf(flags);
    const origin = originOf(flags.input, report);
    const { all, directory } = flags;
    const totals = await interruptible((signal) =>
      extractFrom(origin, directory, { all, report, rewrites, signal }),
    );
    report.summary('extracted', totals);
  } finally {
    report.clear();
  }
}

export function extractCommand(): Command {
  return addReportOptions(addChoiceOptions(new Command('extract')))
    .summary('turn an archive into a directory of the Lua module')
    .description(
      'Writes an archive as a directory of the Lua module tarantool/dump: a file a space,\n' +
        'as that module writes it and as its restore takes it. Users, grants, sequences,\n' +
        'functions and the like have no place in it, and what is left out is named.',
    )
    .requiredOption('-C, --directory <dir>', 'where to; not there yet, or empty')
    .option('-i, --input <file>', 'read from a file or a directory, not from standard input')
    .option('--all', 'also all else, with manifest and trailer: for tntar, and verified', false)
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action(run);
}
