import { Command } from 'commander';
import type { Filtered } from '../lib/archive/items.js';
import type { Contents } from '../lib/inspect.js';
import { EXIT_HELP } from './exit.js';
import { openInput } from './files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from './filter-options.js';
import { addReportOptions, type ReportFlags, reportOf } from './report-options.js';
import { formatBytes, formatCount, printable } from './reporting.js';
import { interruptible } from './signals.js';

interface Flags extends ChoiceFlags, ReportFlags {
  input?: string;
  json: boolean;
}

const EXAMPLES = `
Examples:
  tntar list < backup.tar.zst
  tntar list -i backup.tar.zst --json | jq '.spaces[].name'
`;

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly string[][], isNumber: readonly boolean[]): string {
  const widths = isNumber.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What a filter made of one space, in the words of the run that wrote the archive. */
function tally({ filter, space, in: came, changed, skipped, out }: Filtered): string {
  const [all, others, gone, left] = [came, changed, skipped, out].map(formatCount);
  return `${filter}: '${space}': ${all} rows in, ${others} changed, ${gone} skipped, ${left} out`;
}

/** What the archive lacks of a whole one: what its manifest says, and rows that filters skipped. */
function partsOf({ manifest, filtered }: Contents): string[] {
  const skipping = filtered.filter(({ skipped }) => skipped > 0);
  return [...(manifest.partial ?? []), ...skipping.map(tally)];
}

function changesOf({ manifest, filtered }: Contents): string[] {
  const changing = filtered.filter(
    ({ in: came, changed, skipped, out }) => skipped === 0 && (changed > 0 || out !== came),
  );
  return [...(manifest.changed ?? []), ...changing.map(tally)];
}

function asTable(contents: Contents): string {
  const { manifest, shown = [], spaces, consistent, totals } = contents;
  const rows = spaces.map(({ id, name, engine, rows: count, bytes }) => [
    String(id),
    printable(name),
    printable(engine),
    formatCount(count),
    formatBytes(bytes),
  ]);
  const head = ['ID', 'NAME', 'ENGINE', 'ROWS', 'BYTES'];
  const total = ['', 'total', '', formatCount(totals.rows), formatBytes(totals.bytes)];
  const origin = printable(
    `Tarantool ${manifest.server.version}, ${manifest.created}, read by ${manifest.source}`,
  );
  const lines = [
    origin + (consistent ? '' : ', NOT of one moment: rows were written meanwhile'),
    ...partsOf(contents).map((what) => printable(`PARTIAL: ${what}`)),
    ...changesOf(contents).map((what) => printable(`changed: ${what}`)),
    ...manifest.omitted.map(({ what, why }) => printable(`left out: ${what} (${why})`)),
    ...shown.map((what) => printable(`shown: ${what}`)),
    table([head, ...rows, total], [true, false, false, true, true]),
  ];
  return `${lines.join('\n')}\n`;
}

function asJson(contents: Contents): string {
  const { manifest, shown, spaces, filtered, consistent, vclock, totals } = contents;
  const { rows, bytes, archiveBytes } = totals;
  const partial = partsOf(contents);
  const document = {
    ...manifest,
    ...(partial.length === 0 ? {} : { partial }),
    shown,
    endVclock: vclock,
    consistent,
    rows,
    bytes,
    archiveBytes,
    filtered,
    spaces,
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

async function run(flags: Flags): Promise<void> {
  const report = reportOf(flags);
  const { inspect } = await import('../lib/inspect.js');
  try {
    const rewrites = await choiceOf(flags);
    const input = openInput(flags.input);
    const contents = await interruptible((signal) => inspect(input, { report, rewrites, signal }));
    report.clear();
    process.stdout.write(flags.json ? asJson(contents) : asTable(contents));
  } finally {
    report.clear();
  }
}

export function listCommand(): Command {
  return addReportOptions(addChoiceOptions(new Command('list')))
    .summary('show what an archive holds')
    .description('Reads and verifies a whole archive, and shows the spaces that it holds.')
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action(run);
}
