import type { ArchiveFile } from '../../lib/archive/input.js';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { DamageResult } from '../../lib/pipelines/damage.js';
import { archiveFile, checkInput, statOf } from '../options/files.js';
import type { Run } from './run.js';
import { formatCount, plural } from './stderr-report.js';

/** Damaged media may have thousands of bad places. */
const SHOWN_LINES = 50;

const WITHOUT = 'restore it without --salvage';

/**
 * An archive that can be read from any byte, and again.
 *
 * @throws TntarError of kind `usage` for a pipe, a directory, a tar, and for what cannot be read at all
 */
export async function openAgain(
  { process }: Run,
  file: string | undefined,
  option: string,
): Promise<ArchiveFile> {
  const refuse = (why: string, hint: string): TntarError =>
    new TntarError('usage', `${option} ${why}`, { hint });
  if (file !== undefined && statOf(file)?.isDirectory() === true) {
    const { checkDirectory } = await import('../options/input-source.js');
    checkDirectory(file);
    throw refuse('works with an archive, not with a directory', WITHOUT);
  }
  checkInput(process, file);
  const archive = archiveFile(process, file);
  if (archive === undefined) {
    throw refuse(
      'reads the archive twice, but a pipe can be read only once',
      'save the archive to a file, and use -i FILE or < FILE',
    );
  }
  const { holdsTar } = await import('../../lib/sources/stream.js');
  if (await holdsTar(archive.open(0)))
    throw refuse('works with an archive, not with a tar', WITHOUT);
  return archive;
}

function warnAll(report: Report, lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN_LINES)) report.warn(line);
  const more = lines.length - SHOWN_LINES;
  if (more > 0) report.warn(`and ${formatCount(more)} more`);
}

/** Says what of an archive is damaged, and what is lost by that. */
export function warnOfDamage({ damages, gaveUp, lost }: DamageResult, report: Report): void {
  const places = damages.map(({ start, end, entry, why }) => {
    const to = end === undefined ? 'the end' : formatCount(end);
    return `damaged from byte ${formatCount(start)} to ${to}${entry === undefined ? '' : `, entry ${entry}`}: ${why}`;
  });
  warnAll(report, places);
  if (gaveUp) report.warn('too much is damaged: the rest of the archive was not searched');
  warnAll(
    report,
    lost.map((line) => `lost: ${line}`),
  );
}

/** Returns the error of a run that restores, or would restore, only the spaces that are whole. */
export function damagedError(
  { lost, whole }: Pick<DamageResult, 'lost' | 'whole'>,
  isDry: boolean,
): TntarError {
  const left = `${plural(whole.length, 'space')} of it ${whole.length === 1 ? 'is' : 'are'} whole`;
  if (lost.length === 0) {
    return new TntarError('archive', `the archive is damaged, but nothing is lost: ${left}`);
  }
  const word = isDry ? 'a restore would be' : 'the restore is';
  return new TntarError('archive', `the archive is damaged: ${word} INCOMPLETE, ${left}`, {
    hint: 'use another backup for the lost parts, which are listed above',
  });
}
