import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LEVEL, MAX_LEVEL } from '../../lib/archive/compression.js';
import { defined } from '../../lib/base/defined.js';
import { TntarError } from '../../lib/base/errors.js';
import { longListOf, quoted } from '../../lib/base/report.js';
import type { ReadFrom } from '../../lib/cluster/connect.js';
import type { Filter } from '../../lib/filters/filter.js';
import type { ConnectionOptions } from '../../lib/iproto/options.js';
import type { DumpOptions } from '../../lib/pipelines/dump.js';
import {
  addFilterOptions,
  type FilterFlags,
  filterMaker,
  filtersOf,
} from '../options/filter-options.js';
import { withoutPassword } from '../options/passwords.js';
import { requireServer } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import {
  addServerOptions,
  DEFAULT_URI,
  SERVER_HELP,
  type ServerFlags,
  serverOptions,
} from '../options/server-options.js';
import { withOutput } from '../output/archive-file.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { asArchiveError } from '../output/standard-output.js';
import { plural } from '../output/stderr-report.js';

interface Flags extends ServerFlags, FilterFlags, ReportFlags {
  schemaOnly: boolean;
  dataOnly: boolean;
  output?: string;
  source: NonNullable<DumpOptions['source']>;
  level: number;
  forceSnapshot: boolean;
  strict: boolean;
  cluster?: string[];
  from?: ReadFrom;
}

const EXAMPLES = `
Examples:
  tntar dump db1:3301 > backup.tar.zst
  tntar dump db1:3301 --space 'app_*' --exclude '*_log' > app.tar.zst
  tntar dump backup@db1 --password-file /etc/tntar/db1 -o /backup/db1.tar.zst
  ssh db1 tntar dump unix/:/run/tarantool/db1.sock > db1.tar.zst
  tntar dump --cluster db1:3301 db2:3301 db3:3301 -o shop.tar.zst
`;

const gather = (value: string, before: string[] = []): string[] => [...before, value];

function level(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_LEVEL) return value;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LEVEL}.`);
}

async function execute(run: Run, uri: string, flags: Flags): Promise<void> {
  if (flags.cluster !== undefined) return executeCluster(run, uri, flags.cluster, flags);
  if (flags.from !== undefined) {
    throw new TntarError('usage', '--from works only with --cluster', {
      hint: 'to read a replica, give its address',
    });
  }
  const hint = `to write a file: tntar dump ADDRESS -o ${uri}; to look into one: tntar list ${uri}`;
  requireServer(uri, 'dump', hint);
  const report = run.report(flags);
  const { source, forceSnapshot, strict } = flags;
  // Loaded when it is needed: --help and the other commands need not wait for it.
  const { dump } = await import('../../lib/pipelines/dump.js');
  try {
    const summary = await interruptible(run, (signal) =>
      withOutput(run, flags.output, signal, async (output) => {
        const server = await serverOptions(run, uri, flags, signal, report);
        const filters = await filtersOf(flags, signal, report);
        filters.unshift(...(await halfMakers(flags)).map((make) => make()));
        const { level } = flags;
        const reading = { source, forceSnapshot, strict };
        return dump(server, output, { ...reading, level, filters, report, signal });
      }),
    );
    report.summary('dumped', summary);
    const { rowsExcluded = [] } = summary;
    if (rowsExcluded.length > 0) {
      report.note(
        `no rows of ${plural(rowsExcluded.length, 'space')}: ${longListOf(rowsExcluded.map(quoted))}`,
      );
    }
  } catch (error) {
    throw asArchiveError(error);
  } finally {
    report.clear();
  }
}

/** Dumps all shards of a cluster. */
async function executeCluster(
  run: Run,
  uri: string,
  addresses: readonly string[],
  flags: Flags,
): Promise<void> {
  if (uri !== DEFAULT_URI) {
    throw new TntarError('usage', `the address ${withoutPassword(uri)} stands before --cluster`, {
      hint: 'write the addresses of all shards behind --cluster',
    });
  }
  if (flags.source === 'select') {
    throw new TntarError('usage', 'a cluster cannot be read by select', {
      hint: 'leave --source away: buckets move, and only read views of all shards fit each other',
    });
  }
  for (const address of addresses) {
    requireServer(address, 'dump --cluster', `to write a file: -o ${address}`);
  }
  const report = run.report(flags);
  const { from, forceSnapshot, strict, level } = flags;
  const { dumpCluster } = await import('../../lib/pipelines/dump-cluster.js');
  try {
    const summary = await interruptible(run, (signal) =>
      withOutput(run, flags.output, signal, async (output) => {
        const servers: ConnectionOptions[] = [];
        for (const address of addresses) {
          servers.push(await serverOptions(run, address, flags, signal, report));
        }
        const own = await filterMaker(flags, signal, report);
        const half = await halfMakers(flags);
        const filters = (): Filter[] => [...half.map((make) => make()), ...own()];
        const reading = { forceSnapshot, strict, level, ...defined({ from }) };
        return dumpCluster(servers, output, { ...reading, filters, report, signal });
      }),
    );
    const { shards, bucketCount, skew } = summary;
    report.summary(`dumped ${plural(shards, 'shard')},`, summary);
    const buckets = bucketCount === undefined ? [] : [plural(bucketCount, 'bucket')];
    report.note([...buckets, `read views opened within ${skew} ms`].join(', '));
  } catch (error) {
    throw asArchiveError(error);
  } finally {
    report.clear();
  }
}

/** The filter that leaves out rows, or all else. */
async function halfMakers(flags: Flags): Promise<(() => Filter)[]> {
  if (flags.schemaOnly) {
    const { schemaOnly } = await import('../../lib/filters/schema-only.js');
    return [schemaOnly];
  }
  if (!flags.dataOnly) return [];
  const { dataOnly } = await import('../../lib/filters/data-only.js');
  return [dataOnly];
}

export function dumpCommand(run: Run): Command {
  const own = new Command('dump')
    .summary('back up a live database as an archive')
    .description('Back up a live database as an archive, to standard output or a file.')
    .option('-o, --output <file>', 'output file; it appears only when it is complete')
    .option(
      '--cluster <uris...>',
      'dump all shards of a cluster together; name at least one instance of each shard',
      gather,
    )
    .addOption(
      new Option(
        '--from <role>',
        'instance of each shard to read (default: a replica that is up to date, else the master)',
      ).choices(['replica', 'master']),
    )
    .addOption(
      new Option(
        '--source <how>',
        'read method: snapshot (a consistent read view) or select (needs fewer privileges)',
      )
        .choices(['auto', 'snapshot', 'select'])
        .default('auto'),
    )
    .option('--level <n>', `zstd compression level, 1 to ${MAX_LEVEL}`, level, DEFAULT_LEVEL)
    .option(
      '--force-snapshot',
      'use a read view even if it can hang the server (3.2.0-1, 3.3.0-2 and 3.4.0, with tuples over 4 MiB)',
      false,
    )
    .option(
      '--strict',
      'fail if rows changed, or were uncommitted, while select was reading',
      false,
    )
    .option('--schema-only', 'dump all definitions, but no rows; sequences start anew', false)
    .addOption(
      new Option(
        '--data-only',
        'dump rows, and only the definitions that restore --data-only needs',
      )
        .default(false)
        .conflicts('schemaOnly'),
    );
  return addReportOptions(addServerOptions(addFilterOptions(own)))
    .addHelpText('after', SERVER_HELP + EXAMPLES + EXIT_HELP)
    .action((uri, flags) => execute(run, uri, flags));
}
