import { Command, Option } from 'commander';
import type { CopyOptions } from '../../lib/pipelines/copy.js';
import { addFilterOptions, type FilterFlags, rewritesOf } from '../options/filter-options.js';
import { addressFor, requireServer } from '../options/places.js';
import { addReportOptions, type ReportFlags, reportOf } from '../options/report-options.js';
import {
  addConnectionOptions,
  flagsOf,
  type ServerFlags,
  serverOptions,
} from '../options/server-options.js';
import { addTargetOptions, type TargetFlags, wantedOf } from '../options/target-options.js';
import { requireOutput } from '../output/descriptors.js';
import { EXIT_HELP } from '../output/exit.js';
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
User and password of both are also taken from TT_CLI_USERNAME and TT_CLI_PASSWORD, or from
--password-file; one in an address goes before, and a password that is still missing is asked
for on the terminal. The other options of a server are for both.
`;

const EXAMPLES = `
Examples:
  tntar copy admin@db1:3301 admin@db2:3301
  tntar copy app@db1 admin@test1 --space 'app_*' --mask users.email=hash --existing drop --no-users
`;

async function run(from: string, to: string, flags: Flags): Promise<void> {
  requireServer(from, 'copy', `tntar restore ${addressFor(to)} ${from}`);
  requireServer(to, 'copy', `tntar dump ${addressFor(from)} -o ${to}`);
  const report = reportOf(flags);
  const { targetPasswordFile: passwordFile = flags.passwordFile } = flags;
  const { source, forceSnapshot, strict } = flags;
  const wanted = wantedOf(flags);
  if (flags.dryRun) requireOutput();
  const { copy, previewCopy } = await import('../../lib/pipelines/copy.js');
  try {
    await interruptible(async (signal) => {
      const sourceFlags = flagsOf(from, flags, flags.passwordFile);
      const server = await serverOptions(from, sourceFlags, signal, report);
      const target = await serverOptions(to, flagsOf(to, flags, passwordFile), signal, report);
      const rewrites = await rewritesOf(flags, signal, report);
      const options = { ...wanted, source, forceSnapshot, strict, rewrites, report, signal };
      if (flags.dryRun) {
        const { showPreview } = await import('../output/preview.js');
        const preview = await previewCopy(server, target, options);
        report.clear();
        textOutput().write(showPreview(preview));
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

export function copyCommand(): Command {
  const servers = new Command('copy')
    .argument('<source>', 'the server that is read')
    .argument('<target>', 'the server that is written to');
  const command = addConnectionOptions(servers).option(
    '--target-password-file <file>',
    'take the password of the target from this file, and not from --password-file',
  );
  return addReportOptions(
    addTargetOptions(addFilterOptions(command), 'read the source, ask the target'),
  )
    .summary('put a live database into another one')
    .description(
      'Reads a live database as dump does, and puts it into another one as restore does, with\n' +
        'the same filters and checks, and no archive in between.',
    )
    .addOption(
      new Option('--source <how>', 'how to read: snapshot (one moment), select (less privilege)')
        .choices(['auto', 'snapshot', 'select'])
        .default('auto'),
    )
    .option(
      '--force-snapshot',
      'take a snapshot even if it can hang the server (3.2.0-1, 3.3.0-2 and 3.4.0, with tuples over 4 MiB)',
      false,
    )
    .option('--strict', 'fail if rows were written, or not yet committed, while select read', false)
    .addHelpText('after', SERVERS_HELP + EXAMPLES + EXIT_HELP)
    .action(run);
}
