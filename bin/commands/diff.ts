import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { defined } from '../../lib/base/defined.js';
import { TntarError } from '../../lib/base/errors.js';
import { jsonText } from '../../lib/base/report.js';
import type { DefinitionDifference } from '../../lib/diff/definitions.js';
import type { RowDifference } from '../../lib/diff/merge.js';
import type { SpaceDifference } from '../../lib/diff/rows.js';
import { describeEndpoint, parseUri } from '../../lib/iproto/uri.js';
import type { DiffResult } from '../../lib/pipelines/diff-options.js';
import { SIDES_HELP, withSide } from '../options/diff-inputs.js';
import {
  addChoiceOptions,
  addRowChoiceOption,
  type ChoiceFlags,
  choiceOf,
  type RowChoiceFlags,
  rowChoiceOf,
} from '../options/filter-options.js';
import { kindOf, shardOption } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import { addConnectionOptions, type ServerFlags } from '../options/server-options.js';
import { DIFF_EXIT_HELP, DIFFERENT } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { textOutput } from '../output/standard-output.js';
import { formatCount, plural, printable } from '../output/stderr-report.js';

interface Flags extends ServerFlags, ChoiceFlags, RowChoiceFlags, ReportFlags {
  passwordFileB?: string;
  shard?: number;
  schemaOnly: boolean;
  dataOnly: boolean;
  rows: boolean;
  sort: boolean;
  json: boolean;
}

const EXAMPLES = `
Examples:
  tntar diff monday.tar.zst tuesday.tar.zst
  tntar diff backup.tar.zst admin@db1:3301 --rows | less
  ssh db1 tntar dump | tntar diff - admin@db2:3301 --space 'app_*' --json
`;

const JSON_HELP = `
--json prints {"isEqual", "only", "definitions": [{"kind", "what", "changes"}], "spaces": [{"name",
"removed", "added", "changed", "equal"}], "uncompared": [names]}. A change is {"what", "before",
"after"}. "uncompared" lists spaces whose rows one side excludes. With --rows, each is a line:
{"definition"}, {"row": {"space", "before", "after"}}, {"space"}, {"isEqual", "uncompared"}. "bytes"
shows where two rows differ that look equal or are large: {"at", "before", "after"} in hex.
If the versions differ, "converted" is {"side", "from", "to", "notes"}.
`;

const VERSIONS_HELP = `
If A and B have different server versions, one of them is converted as by a restore into the other
version: A if possible, otherwise B. Objects that the conversion changes or leaves out cause a
warning and do not count as differences.
`;

/** Text that is gathered before it is written. */
const CHUNK_LENGTH = 64 * 1024;

/** So long one turn takes. */
const TURN_MS = 50;

/** Writes lines to standard output, no faster than somebody reads them. */
class Output {
  readonly #stream: NodeJS.WritableStream;
  #text = '';

  constructor(run: Run) {
    this.#stream = textOutput(run);
  }

  write(line: string): void | Promise<void> {
    return this.add(`${line}\n`);
  }

  /** Writes a part of a line. */
  add(text: string): void | Promise<void> {
    this.#text += text;
    return this.#text.length < CHUNK_LENGTH ? undefined : this.flush();
  }

  /** Writes parts of a line one after the other. In between, the process looks at whatever else there is to do. */
  async addAll(parts: Iterable<string>): Promise<void> {
    let before = performance.now();
    for (const part of parts) {
      await this.add(part);
      if (performance.now() - before < TURN_MS) continue;
      await setImmediate();
      before = performance.now();
    }
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '' && !this.#stream.write(text)) await once(this.#stream, 'drain');
  }
}

/** Prints differences. */
interface Printer {
  definitions?(differences: DefinitionDifference[]): void | Promise<void>;
  row(row: RowDifference): void | Promise<void>;
  space?(space: SpaceDifference): void | Promise<void>;
  end(differences: DiffResult): void | Promise<void>;
}

const isDifferent = ({ removed, added, changed }: SpaceDifference): boolean =>
  removed + added + changed > 0;

type Library = typeof import('../../lib/diff/row-text.js') &
  typeof import('../../lib/diff/definitions.js');

function* printableParts(parts: Iterable<string>): Generator<string> {
  for (const part of parts) yield printable(part);
}

function textPrinter(output: Output, library: Library): Printer {
  const { rowParts, rowBytes, showDefinition } = library;
  let space: string | undefined;
  const line = async (sign: string, row: Buffer | undefined, note: string): Promise<void> => {
    if (row === undefined) return;
    await output.add(`${sign} `);
    await output.addAll(printableParts(rowParts(row)));
    await output.write(note);
  };
  return {
    async definitions(differences) {
      for (const each of differences) await output.write(printable(showDefinition(each)));
    },
    async row({ space: name, before, after }) {
      if (name !== space) await output.write(printable(`rows of '${name}':`));
      space = name;
      const bytes = rowBytes(before, after);
      const note = (side: 'before' | 'after'): string =>
        bytes === undefined ? '' : ` (bytes from ${bytes.at}: ${bytes[side] || 'none'})`;
      await line('-', before, note('before'));
      await line('+', after, note('after'));
    },
    space(counts) {
      if (!isDifferent(counts)) return;
      const [removed, added, changed, equal] = [
        counts.removed,
        counts.added,
        counts.changed,
        counts.equal,
      ].map(formatCount);
      const tally = `${removed} removed, ${added} added, ${changed} changed, ${equal} equal`;
      return output.write(printable(`~ rows of '${counts.name}': ${tally}`));
    },
    end({ isEqual, only, definitions, spaces, uncompared = [] }) {
      const rows = spaces.reduce((sum, { equal }) => sum + equal, 0);
      if (isEqual && only === 'schema') return output.write('equal: definitions, without rows');
      const rest =
        uncompared.length === 0
          ? ''
          : `; rows of ${plural(uncompared.length, 'space')} were not compared`;
      const alone = only === 'data' ? ', without definitions' : '';
      if (isEqual) return output.write(`equal: ${plural(rows, 'row')}${alone}${rest}`);
      const others = spaces.filter(isDifferent).length;
      return output.write(
        `different: ${plural(definitions.length, 'definition')}, rows of ${plural(others, 'space')}${rest}`,
      );
    },
  };
}

function linePrinter(output: Output, { rowParts, rowBytes }: Library): Printer {
  const line = (key: string, value: unknown): void | Promise<void> =>
    output.write(jsonText({ [key]: value }));
  return {
    async definitions(differences) {
      for (const each of differences) await line('definition', each);
    },
    async row({ space, before, after }) {
      const parts = (row: Buffer | undefined): Iterable<string> =>
        row === undefined ? ['null'] : rowParts(row);
      await output.add(`{"row":{"space":${jsonText(space)},"before":`);
      await output.addAll(parts(before));
      await output.add(',"after":');
      await output.addAll(parts(after));
      const bytes = rowBytes(before, after);
      await output.write(bytes === undefined ? '}}' : `,"bytes":${jsonText(bytes)}}}`);
    },
    space: (counts) => line('space', counts),
    end: ({ isEqual, only, converted, uncompared }) =>
      // keys without a value are left out of JSON
      output.write(jsonText({ isEqual, only, converted, uncompared })),
  };
}

function documentPrinter(output: Output): Printer {
  return {
    row: () => {},
    end: (differences) => output.write(jsonText(differences, 1)),
  };
}

async function execute(run: Run, a: string, b: string, flags: Flags): Promise<void> {
  run.useDiffCodes();
  if (a === '-' && b === '-') {
    throw new TntarError('usage', 'standard input is one archive, but both sides are -', {
      hint: 'name a file or a server for one side: tntar diff - FILE',
    });
  }
  for (const side of [a, b]) kindOf(side);
  const report = run.report(flags);
  const { diffFrom } = await import('../../lib/pipelines/diff.js');
  const library = {
    ...(await import('../../lib/diff/row-text.js')),
    ...(await import('../../lib/diff/definitions.js')),
  };
  const output = new Output(run);
  const { rows, json, sort, passwordFile, passwordFileB = passwordFile } = flags;
  const print = !json
    ? textPrinter(output, library)
    : rows
      ? linePrinter(output, library)
      : documentPrinter(output);
  const only = flags.schemaOnly ? 'schema' : flags.dataOnly ? 'data' : undefined;
  try {
    const filters = [...(await choiceOf(flags, true)), ...(await rowChoiceOf(flags, true))];
    const differences = await interruptible(run, (signal) =>
      withSide(run, a, flags, passwordFile, signal, report, flags.shard, (left) =>
        withSide(run, b, flags, passwordFileB, signal, report, flags.shard, (right) =>
          diffFrom(left, right, {
            filters,
            report,
            signal,
            sort,
            names: [`A (${nameOf(a)})`, `B (${nameOf(b)})`],
            ...defined({ only }),
            onDefinitions: print.definitions,
            onRow: rows ? print.row : undefined,
            onSpace: print.space,
          }),
        ),
      ),
    );
    report.clear();
    await print.end(differences);
    await output.flush();
    if (!differences.isEqual) run.process.exitCode = DIFFERENT;
  } finally {
    report.clear();
  }
}

/** Returns how a side is called in messages: an archive by its name, a server by its place. */
function nameOf(side: string): string {
  if (side === '-') return 'standard input';
  return kindOf(side) === 'archive' ? side : describeEndpoint(parseUri(side));
}

export function diffCommand(run: Run): Command {
  const own = new Command('diff')
    .summary('compare two archives or servers')
    .description(
      'Compare A with B, each an archive or a live server: all definitions by name, and all rows by ' +
        'primary key. Rows only in A are shown as removed (-), rows only in B as added (+). Memory ' +
        'use is bounded: unordered rows are sorted in temporary files.',
    )
    .argument('<a>', 'archive, - for standard input, or server')
    .argument('<b>', 'archive, - for standard input, or server')
    .addOption(shardOption())
    .option('--rows', 'print each row that differs', false)
    .addOption(
      new Option('--schema-only', 'compare definitions, but no rows')
        .default(false)
        .conflicts('dataOnly'),
    )
    .option('--data-only', 'compare rows, but no definitions', false)
    .option('--sort', 'sort all rows in temporary files before comparing them', false)
    .option('--json', 'print one JSON document, or with --rows one JSON object per line', false);
  const connected = addConnectionOptions(addRowChoiceOption(addChoiceOptions(own))).option(
    '--password-file-b <file>',
    'read the password of B from this file, instead of --password-file',
  );
  return addReportOptions(connected)
    .addHelpText('after', SIDES_HELP + VERSIONS_HELP + JSON_HELP + EXAMPLES + DIFF_EXIT_HELP)
    .action((a, b, flags) => execute(run, a, b, flags));
}
