import type { ArchiveFile } from '../../lib/archive/input.js';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { DamageResult } from '../../lib/pipelines/damage.js';
import { archiveFile, checkInput, statOf } from '../options/files.js';
import { formatCount, plural } from './stderr-report.js';

/** Damaged media may have thousands of bad places. */
const SHOWN_LINES = 50;

const WITHOUT = 'restore takes it without --salvage';

/**
 * An archive that can be read from any byte, and again.
 *
 * @throws TntarError of kind `usage` for a pipe, a directory, a tar, and for what cannot be read at all
 */
export async function openAgain(file: string | undefined, option: string): Promise<ArchiveFile> {
  const refuse = (why: string, hint: string): TntarError =>
    new TntarError('usage', `${option} ${why}`, { hint });
  if (file !== undefined && statOf(file)?.isDirectory() === true) {
    const { checkDirectory } = await import('../options/input-source.js');
    checkDirectory(file);
    throw refuse('is for an archive, and not for a directory', WITHOUT);
  }
  checkInput(file);
  const archive = archiveFile(file);
  if (archive === undefined) {
    throw refuse(
      'reads the archive twice, and a pipe can be read once',
      'save it to a file, and give that with -i FILE or < FILE',
    );
  }
  const { holdsTar } = await import('../../lib/sources/stream.js');
  if (await holdsTar(archive.open(0)))
    throw refuse('is for an archive, and not for a tar', WITHOUT);
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
  if (gaveUp) report.warn('so much is damaged that nothing behind that was looked for');
  warnAll(
    report,
    lost.map((line) => `lost: ${line}`),
  );
}

/** What a run ends with that restored, or would restore, what is whole, or of that what was asked for. */
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
    hint: 'look for another backup of what is lost, which is named above',
  });
}
