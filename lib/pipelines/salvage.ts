import { type ArchiveInput, openFile, openingBuffers } from '../archive/input.js';
import { survey } from '../archive/survey.js';
import { unlessAborted } from '../base/errors.js';
import { aFunction, checkOptions, type Kinds } from '../base/option-checks.js';
import type { Server } from '../iproto/options.js';
import type { PreviewResult } from '../sinks/preview.js';
import type { Origin } from '../sources/origin.js';
import { type DamageResult, rescueOf } from './damage.js';
import {
  previewFrom,
  RESTORING,
  type RestoreOptions,
  type RestoreResult,
  restoreFrom,
} from './restore.js';

/** Options of a salvage. */
export interface SalvageOptions extends RestoreOptions {
  /** Gets the damage before anything is written, because the restore may fail, too. */
  onDamage?(findings: DamageResult): void;
}

const KINDS: Kinds<SalvageOptions> = { ...RESTORING, onDamage: aFunction };

/** The damage, and a way to restore the rest. */
interface Prepared {
  findings: DamageResult;
  begin: Origin;
  options: RestoreOptions;
}

async function prepare(
  call: string,
  input: ArchiveInput,
  given: SalvageOptions,
): Promise<Prepared> {
  checkOptions(call, given, KINDS);
  const open = openingBuffers(openFile(input, call).open);
  const { onDamage, ...options } = given;
  const { signal } = options;
  const surveyed = await unlessAborted(signal, () => survey(open, signal));
  const { begin, filters, ...findings } = rescueOf(open, surveyed, options.only);
  onDamage?.(findings);
  const all = [...filters, ...(options.filters ?? [])];
  return { findings, begin, options: { ...options, filters: all } };
}

/** The result of a salvage, with the damage. */
export interface SalvageResult extends RestoreResult, DamageResult {}

/**
 * Restores the spaces of a damaged archive that are whole to the last byte. A space with a missing part is left out,
 * with its sequence and the foreign keys to it. Of a whole archive, everything is restored.
 *
 * @param input - is read several times, so it cannot be a stream
 * @returns the result of the restore and the lost parts, which a caller should report
 * @throws as `restore`, and TntarError of kind `archive` if nothing is whole
 * @example
 * const { lost } = await salvage('backup.tar.zst', 'admin:secret@db2:3301');
 * for (const line of lost) console.error(line);
 */
export async function salvage(
  input: ArchiveInput,
  server: Server,
  given: SalvageOptions = {},
): Promise<SalvageResult> {
  const { findings, begin, options } = await prepare('salvage', input, given);
  const restored = await restoreFrom(begin, server, options);
  return { ...restored, ...findings };
}

/**
 * Tells what {@link salvage} would do, and changes nothing.
 *
 * @throws as `salvage`
 * @example
 * const { lost, plan } = await previewSalvage('backup.tar.zst', 'admin:secret@db2:3301');
 */
export async function previewSalvage(
  input: ArchiveInput,
  server: Server,
  given: SalvageOptions = {},
): Promise<PreviewResult & DamageResult> {
  const { findings, begin, options } = await prepare('previewSalvage', input, given);
  const preview = await previewFrom(begin, server, options);
  return { ...preview, ...findings };
}
