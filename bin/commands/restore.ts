import { Command } from 'commander';
import { defined } from '../../lib/base/defined.js';
import { type Report, silent } from '../../lib/base/report.js';
import type { ConnectionOptions } from '../../lib/iproto/options.js';
import type { DamageResult } from '../../lib/pipelines/damage.js';
import type { RestoreOptions, RestoreResult } from '../../lib/pipelines/restore.js';
import { takesAway } from '../../lib/schema/plan/options.js';
import type { PreviewResult } from '../../lib/sinks/preview.js';
import { addFilterOptions, type FilterFlags, filtersOf } from '../options/filter-options.js';
import { withoutPassword } from '../options/passwords.js';
import {
  addInput,
  addressFor,
  type InputFlags,
  inputOf,
  requireServer,
} from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import {
  addConnectionOptions,
  DEFAULT_URI,
  SERVER_HELP,
  type ServerFlags,
  serverOptions,
} from '../options/server-options.js';
import { addTargetOptions, type TargetFlags, wantedOf } from '../options/target-options.js';
import { damagedError, openAgain, warnOfDamage } from '../output/damage-report.js';
import { requireOutput } from '../output/descriptors.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { textOutput } from '../output/standard-output.js';

interface Flags extends ServerFlags, FilterFlags, TargetFlags, ReportFlags, InputFlags {
  salvage: boolean;
}

const EXAMPLES = `
Examples:
  tntar restore admin@db2:3301 < backup.tar.zst
  tntar restore admin@db2:3301 backup.tar.zst --dry-run | less
  tntar restore admin@db2:3301 backup.tar.zst --no-users --no-privileges
  tntar restore admin@db2:3301 backup.tar.zst --space users
  tntar restore admin@db2:3301 backup.tar.zst --existing drop --no-users
  tntar dump db1:3301 | tntar restore admin@db2:3301
  tntar restore admin@db2:3301 /var/backup/lua-dump
  tar c lua-dump | tntar restore admin@db2:3301
`;

/** The two things that can be done with an archive. */
interface Archive {
  restore(
    server: ConnectionOptions,
    options: RestoreOptions,
  ): Promise<RestoreResult & Partial<DamageResult>>;
  preview(
    server: ConnectionOptions,
    options: RestoreOptions,
  ): Promise<PreviewResult & Partial<DamageResult>>;
}

/** An archive that is restored whole or not at all. */
async function wholeArchive(run: Run, flags: Flags, report: Report): Promise<Archive> {
  const { previewFrom, restoreFrom } = await import('../../lib/pipelines/restore.js');
  const { originAgain, originOf } = await import('../options/input-source.js');
  const again = takesAway(flags.existing)
    ? originAgain(run, flags.input, silent, flags.shard)
    : undefined;
  const origin = originOf(run, flags.input, report, { shard: flags.shard });
  return {
    async restore(server, options) {
      if (again !== undefined) {
        const { verifyFrom } = await import('../../lib/pipelines/verify.js');
        const { signal } = options;
        report.note('verifying the archive before anything is removed from the target');
        await verifyFrom(again, defined({ signal }));
      }
      return restoreFrom(origin, server, options);
    },
    preview: (server, options) => previewFrom(origin, server, options),
  };
}

/** An archive of which is restored what is whole. */
async function damagedArchive(run: Run, { input }: Flags, report: Report): Promise<Archive> {
  const archive = await openAgain(run, input, '--salvage');
  const { previewSalvage, salvage } = await import('../../lib/pipelines/salvage.js');
  const onDamage = (findings: DamageResult): void => warnOfDamage(findings, report);
  return {
    restore(server, options) {
      report.note('reading the archive to find the spaces that are whole');
      return salvage(archive, server, { ...options, onDamage });
    },
    preview: (server, options) => previewSalvage(archive, server, { ...options, onDamage }),
  };
}

async function execute(
  run: Run,
  uri: string,
  file: string | undefined,
  flags: Flags,
): Promise<void> {
  const address = addressFor(file);
  const archive = address === 'ADDRESS' ? (file ?? flags.input ?? uri) : uri;
  requireServer(uri, 'restore', `tntar restore ${address} ${archive}`);
  const input = inputOf(
    file,
    flags.input,
    'restore',
    (server) => `tntar copy ${server} ${withoutPassword(uri)}`,
  );
  const report = run.report(flags);
  const wanted = wantedOf(flags);
  if (flags.dryRun) requireOutput(run.process);
  try {
    const archive = await (flags.salvage ? damagedArchive : wholeArchive)(
      run,
      { ...flags, input },
      report,
    );
    const done = await interruptible(run, async (signal) => {
      const server = await serverOptions(run, uri, flags, signal, report);
      const filters = await filtersOf(flags, signal, report);
      const options = { ...wanted, report, signal, filters };
      if (flags.dryRun) {
        const preview = await archive.preview(server, options);
        const { showPreview } = await import('../output/preview.js');
        report.clear();
        textOutput(run).write(showPreview(preview));
        return preview;
      }
      const restored = await archive.restore(server, options);
      if (wanted.only === 'schema') report.schemaSummary('restored', restored);
      else report.summary('restored', restored);
      return restored;
    });
    const { damages = [], lost = [], whole = [] } = done;
    if (damages.length + lost.length > 0) {
      throw damagedError({ lost, whole }, flags.dryRun);
    }
  } finally {
    report.clear();
  }
}

export function restoreCommand(run: Run): Command {
  const own = new Command('restore')
    .summary('restore an archive into a database')
    .description(
      'Restore an archive into a database. By default the target must have none of its spaces; ' +
        'use --existing if it has some, or --data-only to load only rows into existing spaces. ' +
        'The target is checked before anything is written, dropped or truncated, and each part of ' +
        'the archive is verified before its rows are written. Existing users, functions and ' +
        'collations with the same definition are reused. If an id is taken, the object gets a new ' +
        'one. The archive can also be a directory of the Lua module tarantool/dump, or a tar of one.',
    );
  const addressed = addInput(own.argument('[uri]', 'server to write to', DEFAULT_URI));
  const targeted = addTargetOptions(addressed, 'verify the input, check the target,').option(
    '--salvage',
    'restore the intact spaces of a damaged archive, list what is lost, and exit with 3',
    false,
  );
  return addReportOptions(addConnectionOptions(addFilterOptions(targeted)))
    .addHelpText('after', SERVER_HELP + EXAMPLES + EXIT_HELP)
    .action((uri, file, flags) => execute(run, uri, file, flags));
}
