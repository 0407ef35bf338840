import { Command } from 'commander';
import type { Contents } from '../lib/inspect.js';
import { EXIT_HELP } from './exit.js';
import { openInput } from './files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from './filter-options.js';
import { formatBytes, formatCount, printable, StderrReport } from './reporting.js';
import { interruptible } from './signals.js';

interface Flags extends ChoiceFlags {
  input?: string;
  json: boolean;
  quiet: boolean;
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

function asTable({ manifest, spaces, consistent, totals }: Contents): string {
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
    ...(manifest.partial ?? []).map((what) => printable(`PARTIAL: ${what}`)),
    ...(manifest.changed ?? []).map((what) => printable(`changed: ${what}`)),
    ...manifest.omitted.map(({ what, why }) => printable(`left out: ${what} (${why})`)),
    table([head, ...rows, total], [true, false, false, true, true]),
  ];
  return `${lines.join('\n')}\n`;
}

function asJson({ manifest, spaces, consistent, vclock, totals }: Contents): string {
  const { rows, bytes, archiveBytes } = totals;
  const document = {
    ...manifest,
    endVclock: vclock,
    consistent,
    rows,
    bytes,
    archiveBytes,
    spaces,
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

async function run(flags: Flags): Promise<void> {
  const report = new StderrReport(flags.quiet);
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
  return addChoiceOptions(new Command('list'))
    .summary('show what an archive holds')
    .description('Reads and verifies a whole archive, and shows the spaces that it holds.')
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .option('--json', 'print one JSON document', false)
    .option('-q, --quiet', 'print warnings and errors only', false)
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action(run);
}
