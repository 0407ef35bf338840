import { Command, Option } from 'commander';
import type { RestoreOptions } from '../lib/restore.js';
import type { OnConflict } from '../lib/schema/destinations.js';
import { type Existing, takesAway } from '../lib/schema/existing.js';
import { EXIT_HELP } from './exit.js';
import { canReadTwice, openInput } from './files.js';
import { addFilterOptions, type FilterFlags, rewritesOf } from './filter-options.js';
import { showPreview } from './preview.js';
import { StderrReport } from './reporting.js';
import {
  addServerOptions,
  SERVER_HELP,
  type ServerFlags,
  serverOptions,
} from './server-options.js';
import { interruptible } from './signals.js';

interface Flags extends ServerFlags, FilterFlags {
  input?: string;
  dryRun: boolean;
  users: boolean;
  privileges: boolean;
  functions: boolean;
  schemaOnly: boolean;
  dataOnly: boolean;
  existing: Existing;
  onConflict: OnConflict;
  quiet: boolean;
}

const EXAMPLES = `
Examples:
  tntar restore admin@db2:3301 < backup.tar.zst
  tntar restore admin@db2:3301 -i backup.tar.zst --dry-run | less
  tntar restore admin@db2:3301 -i backup.tar.zst --no-users --no-privileges
  tntar restore admin@db2:3301 -i backup.tar.zst --space users
  tntar restore admin@db2:3301 -i backup.tar.zst --existing drop --no-users
  tntar dump db1:3301 | tntar restore admin@db2:3301
`;

function onlyOf({ schemaOnly, dataOnly }: Flags): RestoreOptions['only'] {
  if (schemaOnly) return 'schema';
  return dataOnly ? 'data' : undefined;
}

async function run(uri: string, flags: Flags): Promise<void> {
  const report = new StderrReport(flags.quiet);
  const { inspect } = await import('../lib/inspect.js');
  const { previewRestore, restore } = await import('../lib/restore.js');
  const only = onlyOf(flags);
  const without = {
    users: !flags.users,
    privileges: !flags.privileges,
    functions: !flags.functions,
  };
  try {
    const input = openInput(flags.input);
    await interruptible(async (signal) => {
      const server = await serverOptions(uri, flags, signal);
      const rewrites = await rewritesOf(flags, signal);
      const { existing, onConflict } = flags;
      const options = { report, signal, without, only, existing, onConflict, rewrites };
      if (!flags.dryRun && canReadTwice(flags.input) && takesAway(existing)) {
        report.note('verifying the archive, before anything is taken away');
        await inspect(openInput(flags.input), { signal });
      }
      if (flags.dryRun) {
        const preview = await previewRestore(input, server, options);
        report.clear();
        process.stdout.write(showPreview(preview));
        return;
      }
      const restored = await restore(input, server, options);
      if (only === 'schema') report.schemaSummary(restored);
      else report.summary('restored', restored);
    });
  } finally {
    report.clear();
  }
}

export function restoreCommand(): Command {
  return addFilterOptions(addServerOptions(new Command('restore')))
    .summary('put an archive into a database')
    .description(
      'Puts an archive into a database that has none of its spaces, or with --existing\n' +
        'into one that has some; with --data-only, its rows into spaces that are there.\n' +
        'Nothing is written, dropped or emptied before the target was found fit, and no\n' +
        'row of a part before the part was verified. Users, functions and collations that\n' +
        'are there already and the same are used; ids that are taken there are changed.',
    )
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .option('--dry-run', 'verify the archive, print what would be done, change nothing', false)
    .option('--no-users', 'make no users and no roles: use those of the target, by name')
    .option('--no-privileges', 'grant and revoke nothing')
    .option('--no-functions', 'make no functions: use those of the target, by name')
    .addOption(
      new Option('--schema-only', 'all definitions, no rows').default(false).conflicts('dataOnly'),
    )
    .addOption(
      new Option('--data-only', 'rows only, into spaces that are there, by name').default(false),
    )
    .addOption(
      new Option(
        '--existing <what>',
        'spaces that are there by name: error refuses them; skip leaves them as they are; replace puts rows over those with the same keys; truncate empties them first; drop takes them away and makes them anew',
      )
        .choices(['error', 'skip', 'replace', 'truncate', 'drop'])
        .default('error'),
    )
    .addOption(
      new Option(
        '--on-conflict <what>',
        'with --data-only, rows that are there by their key: error stops; skip leaves them; replace puts others in their place',
      )
        .choices(['error', 'skip', 'replace'])
        .default('error'),
    )
    .option('-q, --quiet', 'print warnings and errors only', false)
    .addHelpText('after', SERVER_HELP + EXAMPLES + EXIT_HELP)
    .action(run);
}
