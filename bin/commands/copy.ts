import { Command, Option } from 'commander';
import type { CopyOptions } from '../../lib/pipelines/copy.js';
import { addFilterOptions, type FilterFlags, filtersOf } from '../options/filter-options.js';
import { addressFor, requireServer } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import {
  addConnectionOptions,
  flagsOf,
  type ServerFlags,
  serverOptions,
} from '../options/server-options.js';
import { addTargetOptions, type TargetFlags, wantedOf } from '../options/target-options.js';
import { requireOutput } from '../output/descriptors.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { textOutput } from '../output/standard-output.js';

interface Flags extends ServerFlags, FilterFlags, TargetFlags, ReportFlags {
  targetPasswordFile?: string;
  source: NonNullable<CopyOptions['source']>;
  forceSnapshot: boolean;
  strict: boolean;
}

const SERVERS_HELP = `
SOURCE and TARGET: [user[:password]@]host[:port], a port, or [user@]unix/:/path.
User and password of both can also come from TT_CLI_USERNAME and TT_CLI_PASSWORD, the password
from --password-file. A password in an address overrides them. If it is still missing, tntar asks
for it on the terminal. All other connection options are for both servers.
`;

const EXAMPLES = `
Examples:
  tntar copy admin@db1:3301 admin@db2:3301
  tntar copy app@db1 admin@test1 --space 'app_*' --mask users.email=hash --existing drop --no-users
`;

async function execute(run: Run, from: string, to: string, flags: Flags): Promise<void> {
  requireServer(from, 'copy', `tntar restore ${addressFor(to)} ${from}`);
  requireServer(to, 'copy', `tntar dump ${addressFor(from)} -o ${to}`);
  const report = run.report(flags);
  const { targetPasswordFile: passwordFile = flags.passwordFile } = flags;
  const { source, forceSnapshot, strict } = flags;
  const wanted = wantedOf(flags);
  if (flags.dryRun) requireOutput(run.process);
  const { copy, previewCopy } = await import('../../lib/pipelines/copy.js');
  try {
    await interruptible(run, async (signal) => {
      const sourceFlags = flagsOf(from, flags, flags.passwordFile);
      const server = await serverOptions(run, from, sourceFlags, signal, report);
      const target = await serverOptions(run, to, flagsOf(to, flags, passwordFile), signal, report);
      const filters = await filtersOf(flags, signal, report);
      const options = { ...wanted, source, forceSnapshot, strict, filters, report, signal };
      if (flags.dryRun) {
        const { showPreview } = await import('../output/preview.js');
        const preview = await previewCopy(server, target, options);
        report.clear();
        textOutput(run).write(showPreview(preview));
        return;
      }
      const copied = await copy(server, target, options);
      if (wanted.only === 'schema') report.schemaSummary('copied', copied);
      else report.summary('copied', copied);
    });
  } finally {
    report.clear();
  }
}

export function copyCommand(run: Run): Command {
  const own = new Command('copy')
    .summary('copy a live database into another one')
    .description(
      'Copy a live database into another one, without an archive in between. The source is read as ' +
        'by dump and the target is written as by restore, with the same filters and checks.',
    )
    .argument('<source>', 'server to read from')
    .argument('<target>', 'server to write to');
  const targeted = addTargetOptions(own, 'read the source, check the target,')
    .addOption(
      new Option(
        '--source <how>',
        'read method: snapshot (a consistent read view) or select (needs fewer privileges)',
      )
        .choices(['auto', 'snapshot', 'select'])
        .default('auto'),
    )
    .option(
      '--force-snapshot',
      'use a read view even if it can hang the server (3.2.0-1, 3.3.0-2 and 3.4.0, with tuples over 4 MiB)',
      false,
    )
    .option(
      '--strict',
      'fail if rows changed, or were uncommitted, while select was reading',
      false,
    );
  const connected = addConnectionOptions(addFilterOptions(targeted)).option(
    '--target-password-file <file>',
    'read the password of the target from this file, instead of --password-file',
  );
  return addReportOptions(connected)
    .addHelpText('after', SERVERS_HELP + EXAMPLES + EXIT_HELP)
    .action((from, to, flags) => execute(run, from, to, flags));
}
