import { Command, InvalidArgumentError, Option } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import {
  INVALID_UTF8,
  type InvalidUtf8,
  TEXT_FORMATS,
  type TextFormat,
} from '../../lib/text/names.js';
import { addInput, type InputFlags, inputOf, looksLikeArchive } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { rowOutput } from '../output/standard-output.js';
import { formatBytes, plural } from '../output/stderr-report.js';

interface Flags extends ReportFlags, InputFlags {
  format: TextFormat;
  fields?: string[];
  where?: string[];
  limit?: number;
  invalidUtf8: InvalidUtf8;
  escapeFormulas: boolean;
}

const EXAMPLES = `
Formats (docs/reference/text-forms.md shows each type in each format):
  ndjson    one row per line: an object if the fields have names, otherwise an array
  json      one array of all rows
  csv, tsv  RFC 4180 with a header line; null is an empty cell, an empty string is ""
  postgres  CREATE TABLE, COPY and indexes in one transaction, for psql
  sqlite    CREATE TABLE, INSERT and indexes in one transaction, for sqlite3
  sql       the same in standard SQL, as far as possible
  msgpack   the unchanged tuples, one after the other

Values of --invalid-utf8 (in sql and postgres also for strings with a zero byte):
  error     stop at the first such string
  replace   replace invalid bytes with U+FFFD, and warn with the number of strings
  base64    write 'base64:' and the bytes in base64, also for strings that start with 'base64:'

Every row is verified before it is written. Of a file, only the definitions and this space are
read. From a pipe, the whole archive is read, and damage after the rows also exits with 3. With
--limit, reading stops after that many rows.

Examples:
  tntar cat users backup.tar.zst | jq .name
  tntar cat users backup.tar.zst --format csv --fields id,name > users.csv
  tntar cat users backup.tar.zst --where 'age >= 18' --limit 10
  tntar cat users backup.tar.zst --format postgres | psql
  tntar cat files backup.tar.zst --format csv --invalid-utf8 base64 > files.csv
`;

const GONE_HELP = `  141  the reader of the output closed it, as head does; no message is printed
`;

const gather = (value: string, before: string[] = []): string[] => [...before, value];

function fieldsOf(text: string): string[] {
  const fields = text.split(',').map((field) => field.trim());
  if (fields.includes(''))
    throw new InvalidArgumentError('Write names or numbers, e.g. id,name,3.');
  return fields;
}

function limitOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 0.');
  return Number(text);
}

/** A terminal shows the rows themselves, and is no place for bytes. */
function checkTerminal({ process }: Run, format: TextFormat): void {
  if (format !== 'msgpack' || !process.stdout.isTTY) return;
  throw new TntarError('usage', 'standard output is a terminal, and MessagePack is binary', {
    hint: 'use > FILE, a pipe, or another format',
  });
}

/** Refuses an archive in the place of the name of a space, and says what to type. */
function checkOrder(space: string, file: string | undefined): void {
  if (!looksLikeArchive(space)) return;
  throw new TntarError(
    'usage',
    `${space} is a file, but the first argument of cat is the name of a space`,
    {
      hint: `tntar cat ${file ?? 'SPACE'} ${space}`,
    },
  );
}

async function execute(
  run: Run,
  space: string,
  file: string | undefined,
  flags: Flags,
): Promise<void> {
  checkOrder(space, file);
  const input = inputOf(
    file,
    flags.input,
    'cat',
    (server) => `tntar dump ${server} | tntar cat ${space}`,
  );
  const { input: _, shard, quiet, progress, ...options } = flags;
  checkTerminal(run, options.format);
  const report = run.report({ quiet: quiet || run.process.stdout.isTTY === true, progress });
  const { catFrom } = await import('../../lib/pipelines/cat.js');
  const { originOf } = await import('../options/input-source.js');
  const output = rowOutput(run);
  try {
    const origin = originOf(run, input, report, { shard });
    const { rows, bytes, seconds, isVerified } = await interruptible(run, (signal) =>
      catFrom(origin, output, { ...options, space, report, signal }),
    );
    report.clear();
    report.note(
      `wrote ${plural(rows, 'row')} (${formatBytes(bytes)}) in ${seconds.toFixed(1)} s` +
        (isVerified ? '' : '; the rest of the archive was neither read nor verified'),
    );
  } finally {
    report.clear();
  }
}

export function catCommand(run: Run): Command {
  const own = new Command('cat').argument('<space>', 'space whose rows are written');
  return addReportOptions(
    addInput(own)
      .summary('write the rows of a space as JSON, CSV, SQL or another format')
      .description('Write the rows of one space of an archive to standard output.')
      .addOption(
        new Option('--format <format>', 'output format').choices(TEXT_FORMATS).default('ndjson'),
      )
      .option(
        '--fields <a,b>',
        'write only these fields, in this order, by name or by number from 1',
        fieldsOf,
      )
      .option(
        '--where <expression>',
        "write only rows for which the expression is true, e.g. 'age >= 18' (repeatable)",
        gather,
      )
      .addOption(
        new Option('--invalid-utf8 <how>', 'action for strings that are not valid UTF-8')
          .choices(INVALID_UTF8)
          .default('error'),
      )
      .option(
        '--escape-formulas',
        'in csv and tsv, put an apostrophe before text that a spreadsheet would run as a formula',
        false,
      )
      .option('--limit <rows>', 'stop after N rows; the rest is not verified', limitOf),
  )
    .addHelpText('after', EXAMPLES + EXIT_HELP + GONE_HELP)
    .action((space, file, flags) => execute(run, space, file, flags));
}
