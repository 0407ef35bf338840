import { Command, InvalidArgumentError, Option } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import {
  INVALID_UTF8,
  type InvalidUtf8,
  TEXT_FORMATS,
  type TextFormat,
} from '../../lib/text/names.js';
import { addInput, inputOf, looksLikeArchive } from '../options/places.js';
import { addReportOptions, type ReportFlags, reportOf } from '../options/report-options.js';
import { EXIT_HELP } from '../output/exit.js';
import { interruptible } from '../output/signals.js';
import { rowOutput } from '../output/standard-output.js';
import { formatBytes, plural } from '../output/stderr-report.js';

interface Flags extends ReportFlags {
  input?: string;
  format: TextFormat;
  fields?: string[];
  where?: string[];
  limit?: number;
  invalidUtf8: InvalidUtf8;
  escapeFormulas: boolean;
}

const EXAMPLES = `
Formats (docs/reference/text-forms.md has how each type reads in each):
  ndjson    a row a line: an object by the names of fields, or an array where there are none
  json      one array of those
  csv, tsv  RFC 4180, with a line of names; null is nothing, an empty string is ""
  postgres  CREATE TABLE by format and indexes, and COPY, in one transaction, for psql
  sqlite    the same with INSERT, for sqlite3
  sql       the same as close to the standard as goes
  msgpack   the tuples as they are, back to back

Strings that are not valid UTF-8 (and for sql and postgres those with a zero byte), by --invalid-utf8:
  error     the first one ends the run
  replace   U+FFFD in place of the bytes that are not valid; a warning says in how many strings
  base64    'base64:' and the bytes in base64; strings that begin with 'base64:' get this form, too

What has come out was verified. Of a file the definitions and this space are read; what comes from a
pipe is read to its end, and where it is damaged behind the rows that is exit 3 all the same. With --limit
reading stops where there are enough.

Examples:
  tntar cat users backup.tar.zst | jq .name
  tntar cat users backup.tar.zst --format csv --fields id,name > users.csv
  tntar cat users backup.tar.zst --where 'age >= 18' --limit 10
  tntar cat users backup.tar.zst --format postgres | psql
  tntar cat files backup.tar.zst --format csv --invalid-utf8 base64 > files.csv
`;

const GONE_HELP = `  141  what reads the output went away, as head does; nothing is said about it
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
function checkTerminal(format: TextFormat): void {
  if (format !== 'msgpack' || !process.stdout.isTTY) return;
  throw new TntarError('usage', 'standard output is a terminal, and MessagePack is no text', {
    hint: 'use > FILE, a pipe, or another format',
  });
}

/** Refuses an archive in the place of the name of a space, and says what to type. */
function checkOrder(space: string, file: string | undefined): void {
  if (!looksLikeArchive(space)) return;
  throw new TntarError('usage', `${space} is a file, and cat takes the name of a space first`, {
    hint: `tntar cat ${file ?? 'SPACE'} ${space}`,
  });
}

async function run(space: string, file: string | undefined, flags: Flags): Promise<void> {
  checkOrder(space, file);
  const input = inputOf(
    file,
    flags.input,
    'cat',
    (server) => `tntar dump ${server} | tntar cat ${space}`,
  );
  const { input: _, quiet, progress, ...options } = flags;
  checkTerminal(options.format);
  const report = reportOf({ quiet: quiet || process.stdout.isTTY === true, progress });
  const { cat } = await import('../../lib/pipelines/cat.js');
  const { originOf } = await import('../options/input-source.js');
  const output = rowOutput();
  try {
    const origin = originOf(input, report);
    const { rows, bytes, seconds, isVerified } = await interruptible((signal) =>
      cat(origin, output, { ...options, space, report, signal }),
    );
    report.clear();
    report.note(
      `wrote ${plural(rows, 'row')} (${formatBytes(bytes)}) in ${seconds.toFixed(1)} s` +
        (isVerified ? '' : '; the rest of the archive was not read, nor verified'),
    );
  } finally {
    report.clear();
  }
}

export function catCommand(): Command {
  return addReportOptions(addInput(new Command('cat').argument('<space>', 'whose rows are wanted')))
    .summary('write the rows of a space as JSON, CSV, SQL and others')
    .description('Writes the rows of one space of an archive to standard output, as they are read.')
    .addOption(
      new Option('--format <format>', 'how rows are written')
        .choices(TEXT_FORMATS)
        .default('ndjson'),
    )
    .option('--fields <a,b>', 'only these, in this order, by name or number from 1', fieldsOf)
    .option(
      '--where <expression>',
      "only rows for which it is true, e.g. 'age >= 18'; may be given again",
      gather,
    )
    .addOption(
      new Option('--invalid-utf8 <how>', 'what to do with strings that are not valid UTF-8')
        .choices(INVALID_UTF8)
        .default('error'),
    )
    .option(
      '--escape-formulas',
      'csv, tsv: an apostrophe before text that a spreadsheet takes for a formula',
      false,
    )
    .option('--limit <rows>', 'stop reading behind so many; the rest is not verified', limitOf)
    .addHelpText('after', EXAMPLES + EXIT_HELP + GONE_HELP)
    .action(run);
}
