import { type Command, Option } from 'commander';
import type { RestoreOptions } from '../../lib/pipelines/restore.js';
import type { Existing, OnConflict } from '../../lib/schema/plan/options.js';

/** The options about the contents of a target, old and new. */
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

/**
 * Adds the options that say what a target gets.
 *
 * @param dryRun - what `--dry-run` does first
 */
export function addTargetOptions(command: Command, dryRun: string): Command {
  return command
    .option('--dry-run', `${dryRun} and print what would be done; change nothing`, false)
    .option('--no-users', 'create no users and roles; the restoring user owns all objects')
    .option(
      '--no-privileges',
      'grant and revoke no privileges; the restoring user owns all objects',
    )
    .option('--no-functions', 'create no functions, views, checks, triggers and SQL defaults')
    .addOption(
      new Option('--schema-only', 'restore all definitions, but no rows')
        .default(false)
        .conflicts('dataOnly'),
    )
    .addOption(
      new Option(
        '--data-only',
        'restore only rows, into existing spaces with the same names',
      ).default(false),
    )
    .addOption(
      new Option(
        '--existing <what>',
        'action if a space already exists: error refuses the restore; skip leaves the space unchanged; replace overwrites rows with the same keys; truncate removes all rows first; drop drops and recreates the space',
      )
        .choices(['error', 'skip', 'replace', 'truncate', 'drop'])
        .default('error'),
    )
    .addOption(
      new Option(
        '--on-conflict <what>',
        'with --data-only, action if a key already exists: error stops; skip keeps the existing row; replace overwrites it',
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
