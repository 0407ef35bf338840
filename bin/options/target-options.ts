import { type Command, Option } from 'commander';
import type { RestoreOptions } from '../../lib/pipelines/restore.js';
import type { Existing, OnConflict } from '../../lib/schema/plan/options.js';

/** What the options stand for that say what a target is to get, and what becomes of what it has. */
export interface TargetFlags {
  dryRun: boolean;
  users: boolean;
  privileges: boolean;
  functions: boolean;
  schemaOnly: boolean;
  dataOnly: boolean;
  existing: Existing;
  onConflict: OnConflict;
}

/** @param dryRun - what `--dry-run` does first */
export function addTargetOptions(command: Command, dryRun: string): Command {
  return command
    .option('--dry-run', `${dryRun}, print what would be done, change nothing`, false)
    .option('--no-users', 'make no users and no roles; everything belongs to the restoring user')
    .option('--no-privileges', 'grant and revoke nothing; everything belongs to the restoring user')
    .option('--no-functions', 'make no functions, views, checks, triggers or SQL defaults')
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
    );
}

/** The same as options of a restore. */
export function wantedOf(
  flags: TargetFlags,
): Pick<RestoreOptions, 'without' | 'only' | 'existing' | 'onConflict'> {
  const { schemaOnly, dataOnly, existing, onConflict } = flags;
  const half = dataOnly ? 'data' : undefined;
  return {
    without: {
      users: !flags.users,
      privileges: !flags.privileges,
      functions: !flags.functions,
    },
    only: schemaOnly ? 'schema' : half,
    existing,
    onConflict,
  };
}
