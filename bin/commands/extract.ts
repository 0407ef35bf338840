import { resolve } from 'node:path';
import { Command } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from '../options/filter-options.js';
import { addInput, type InputFlags, inputOf, requirePath } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';

interface Flags extends ChoiceFlags, ReportFlags, InputFlags {
  directory: string;
  all: boolean;
}

const EXAMPLES = `
Examples:
  tntar extract backup.tar.zst -C lua-dump
  tntar dump db1:3301 | tntar extract -C lua-dump --space 'app_*'
  tntar extract backup.tar.zst -C unpacked --all && tntar verify unpacked
`;

/** Refuses the working directory: the new directory would replace it. */
function checkPlace(directory: string): void {
  requirePath('-C', directory);
  if (resolve(directory) !== process.cwd()) return;
  throw new TntarError('usage', '-C is the working directory, which cannot be replaced', {
    hint: 'choose a directory inside or next to it',
  });
}

async function execute(run: Run, file: string | undefined, flags: Flags): Promise<void> {
  const input = inputOf(
    file,
    flags.input,
    'extract',
    (server) => `tntar dump ${server} | tntar extract -C ${flags.directory}`,
  );
  const report = run.report(flags);
  checkPlace(flags.directory);
  const { extractFrom } = await import('../../lib/pipelines/extract.js');
  const { originOf } = await import('../options/input-source.js');
  try {
    const filters = await choiceOf(flags);
    const origin = originOf(run, input, report, { shard: flags.shard });
    const { all, directory } = flags;
    const totals = await interruptible(run, (signal) =>
      extractFrom(origin, directory, { all, report, filters, signal }),
    );
    report.summary('extracted', totals);
  } finally {
    report.clear();
  }
}

export function extractCommand(run: Run): Command {
  const own = addInput(new Command('extract'))
    .summary('convert an archive to a directory of the Lua module')
    .description(
      'Convert an archive to a directory of the Lua module tarantool/dump, with one file per space, ' +
        'as the restore of that module expects it. The directory cannot hold users, privileges, ' +
        'sequences and functions; everything that is left out is listed.',
    )
    .requiredOption('-C, --directory <dir>', 'output directory; must be new or empty')
    .option(
      '--all',
      'also write everything else, with manifest and trailer, so that tntar can verify it',
      false,
    );
  return addReportOptions(addChoiceOptions(own))
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action((file, flags) => execute(run, file, flags));
}
