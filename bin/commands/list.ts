import { Command } from 'commander';
import type { Filtered } from '../../lib/backup/item.js';
import { jsonText, type Report } from '../../lib/base/report.js';
import type { VerifyResult } from '../../lib/pipelines/verify.js';
import type { VerifyOptions } from '../../lib/pipelines/verify-options.js';
import { oldSchema } from '../../lib/schema/convert/versions.js';
import { archiveFile } from '../options/files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from '../options/filter-options.js';
import { addInput, type InputFlags, inputOf } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { textOutput } from '../output/standard-output.js';
import { formatBytes, formatCount, printable } from '../output/stderr-report.js';

interface Flags extends ChoiceFlags, ReportFlags, InputFlags {
  schema: boolean;
  json: boolean;
}

const EXAMPLES = `
Examples:
  tntar list backup.tar.zst
  tntar list backup.tar.zst --schema | less
  tntar list backup.tar.zst --json | jq '.spaces[].name'
`;

/** Returns a line about the rows of one space that a filter changed or skipped. */
function tally({ filter, space, in: came, changed, skipped, out }: Filtered): string {
  const [all, others, gone, left] = [came, changed, skipped, out].map(formatCount);
  return `${filter}: '${space}': ${all} rows in, ${others} changed, ${gone} skipped, ${left} out`;
}

/** Returns lines about the parts of the database that the archive does not have. */
function partsOf({ manifest, filtered }: VerifyResult): string[] {
  const skipping = filtered.filter(({ skipped }) => skipped > 0);
  return [...(manifest.partial ?? []), ...skipping.map(tally)];
}

function changesOf({ manifest, filtered }: VerifyResult): string[] {
  const changing = filtered.filter(
    ({ in: came, changed, skipped, out }) => skipped === 0 && (changed > 0 || out !== came),
  );
  return [...(manifest.changed ?? []), ...changing.map(tally)];
}

const COLUMNS = [
  { title: 'ID', isNumber: true },
  { title: 'NAME' },
  { title: 'ENGINE' },
  { title: 'ROWS', isNumber: true },
  { title: 'BYTES', isNumber: true },
  { title: 'SHARE' },
];

/** Returns the ratio of uncompressed to compressed bytes; undefined for a part of an archive. */
function ratioOf({ shown, totals: { bytes, archiveBytes } }: VerifyResult): string {
  const size = `archive of ${formatBytes(archiveBytes)}`;
  return shown === undefined ? `${size}, ratio ${(bytes / archiveBytes).toFixed(1)}` : size;
}

/** The Lua module does not say of which version its server was. */
function madeBy({ manifest, unvouched }: VerifyResult): string {
  const { tool, created, server, source } = manifest;
  if (unvouched) return `by ${tool}, ${created}`;
  const isOld = oldSchema(server) !== undefined;
  const version = isOld ? `${server.version} with schema ${server.schema}` : server.version;
  return `Tarantool ${version}, ${created}, read by ${source}`;
}

function summaryOf(contents: VerifyResult, parts: readonly string[]): string {
  const { consistent, verified, unvouched } = contents;
  if (unvouched) return 'nothing says that it is whole';
  return [
    parts.length === 0 ? 'complete' : 'a part',
    consistent
      ? 'from one moment'
      : 'NOT from one moment: rows were written meanwhile, or not yet committed',
    ratioOf(contents),
    verified ? 'verified' : 'contents not verified (tntar verify reads them)',
  ].join(', ');
}

async function asTable({ process }: Run, contents: VerifyResult): Promise<string> {
  const { share, table } = await import('../output/table.js');
  const { manifest, shown = [], spaces, totals, definitions } = contents;
  const rows = spaces.map(({ id, name, engine, rows: count, bytes }) => [
    String(id),
    printable(name),
    printable(engine),
    formatCount(count),
    formatBytes(bytes),
    share(process.env, bytes, totals.bytes),
  ]);
  const sums = [formatCount(totals.rows), formatBytes(totals.bytes)];
  const total = ['', 'total', '', ...sums, share(process.env, totals.bytes, totals.bytes)];
  const parts = partsOf(contents);
  const lines = [
    madeBy(contents),
    summaryOf(contents, parts),
    ...parts.map((what) => `PARTIAL: ${what}`),
    ...changesOf(contents).map((what) => `changed: ${what}`),
    ...manifest.omitted.map(({ what, why }) => `left out: ${what} (${why})`),
    ...shown.map((what) => `shown: ${what}`),
  ];
  const text = [...lines.map(printable), table(process, COLUMNS, [...rows, total])];
  if (definitions !== undefined) {
    const { showDefinitions } = await import('../output/definitions.js');
    for (const line of showDefinitions(definitions)) text.push(printable(line));
  }
  return `${text.join('\n')}\n`;
}

function asJson(contents: VerifyResult): string {
  const { manifest, shown, spaces, filtered, consistent, vclock, totals, verified, unvouched } =
    contents;
  const { rows, bytes, archiveBytes } = totals;
  const partial = partsOf(contents);
  const document = {
    ...manifest,
    ...(partial.length === 0 ? {} : { partial }),
    shown,
    endVclock: vclock,
    consistent,
    verified,
    unvouched,
    rows,
    bytes,
    archiveBytes,
    filtered,
    spaces,
    schema: contents.definitions,
  };
  return `${jsonText(document, 1)}\n`;
}

async function contentsOf(
  run: Run,
  input: string | undefined,
  shard: number | undefined,
  options: VerifyOptions & { report: Report },
): Promise<VerifyResult> {
  const file = archiveFile(run.process, input);
  const readAll = async (): Promise<VerifyResult> => {
    const { verifyFrom } = await import('../../lib/pipelines/verify.js');
    const { originOf } = await import('../options/input-source.js');
    const origin = originOf(run, input, options.report, {
      isFromFront: file !== undefined,
      shard,
    });
    return verifyFrom(origin, options);
  };
  if (file === undefined || shard !== undefined) return readAll();
  const { listFile } = await import('../../lib/pipelines/list.js');
  return listFile(file, options, readAll);
}

async function execute(run: Run, file: string | undefined, flags: Flags): Promise<void> {
  const input = inputOf(file, flags.input, 'list', (server) => `tntar dump ${server} | tntar list`);
  const report = run.report(flags);
  const output = textOutput(run);
  try {
    const filters = await choiceOf(flags);
    const contents = await interruptible(run, (signal) => {
      const options = { report, filters, signal, definitions: flags.schema };
      return contentsOf(run, input, flags.shard, options);
    });
    report.clear();
    output.write(flags.json ? asJson(contents) : await asTable(run, contents));
  } finally {
    report.clear();
  }
}

export function listCommand(run: Run): Command {
  const own = addInput(new Command('list'))
    .summary('list the spaces of an archive')
    .description(
      'List the spaces of an archive. Of a file, only both ends are read, and the definitions if ' +
        'they are needed. From a pipe, the whole archive is read and verified.',
    )
    .option('--schema', 'also print formats, indexes, constraints and sequences', false)
    .option('--json', 'print one JSON document', false);
  return addReportOptions(addChoiceOptions(own))
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action((file, flags) => execute(run, file, flags));
}
