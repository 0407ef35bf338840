import { messageOf, TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import { directoryOrigin } from '../../lib/sources/directory.js';
import { archiveOrigin, type Origin } from '../../lib/sources/origin.js';
import { holdsTar, streamOrigin } from '../../lib/sources/stream.js';
import type { Run } from '../output/run.js';
import { archiveFile, checkInput, holdsDump, openInput, statOf } from './files.js';

function isDirectory(file: string | undefined): file is string {
  if (file === undefined || file === '-') return false;
  return statOf(file)?.isDirectory() === true;
}

/** Before any connection is made. @throws TntarError of kind `usage` for a directory of something else */
export function checkDirectory(path: string): void {
  let problem = `${path} is a directory, and it has no dump of the Lua module`;
  try {
    if (holdsDump(path)) return;
  } catch (error) {
    problem = messageOf(error);
  }
  throw new TntarError('usage', `cannot read the archive: ${problem}`, {
    hint: 'check the name, and that you may read the file',
  });
}

/** The parts of a backup that a command reads. */
export interface Need {
  /** All of it, and a seek table has to be right; else what is not wanted may be passed over. */
  isWhole?: boolean;
  /** Reads from the front, because the seek table is missing or wrong, which was said already. */
  isFromFront?: boolean;
  /** The shard that is read of an archive of a cluster; by default all of them as one database. */
  shard?: number | undefined;
}

/**
 * The backup that a command reads: a file, a directory, or standard input. What kind of backup
 * it is, is found out here and by its first bytes, for all commands alike.
 *
 * @param file - undefined or `-` for standard input
 */
export function originOf(
  { process }: Run,
  file: string | undefined,
  report: Report,
  { isWhole = false, isFromFront = false, shard }: Need = {},
): Origin {
  if (isDirectory(file)) {
    if (shard !== undefined) {
      throw new TntarError('usage', `${file} is a directory: it has no shards`, {
        hint: 'each folder of an unpacked archive of a cluster is a shard: name one of them',
      });
    }
    checkDirectory(file);
    return directoryOrigin(file, report);
  }
  checkInput(process, file);
  // before somebody reads: then it would seem that another program had
  const archive = archiveFile(process, file);
  const how = { bytes: archive?.size, isStrict: isWhole, shard };
  if (isWhole || isFromFront || archive === undefined) {
    return streamOrigin(openInput(process, file), report, how);
  }
  return async (reading) => {
    const isTar = await holdsTar(archive.open(0));
    const origin = isTar
      ? streamOrigin(archive.open(0), report, how)
      : archiveOrigin(archive, { report, shard });
    return origin(reading);
  };
}

/**
 * The same once more, from its beginning, and all of it.
 *
 * @param report - hears what the first reading said already
 * @param shard - of an archive of a cluster
 * @returns undefined for a pipe, which is read once
 */
export function originAgain(
  { process }: Run,
  file: string | undefined,
  report: Report,
  shard?: number,
): Origin | undefined {
  if (isDirectory(file)) return directoryOrigin(file, report);
  const archive = archiveFile(process, file);
  if (archive === undefined) return undefined;
  return (reading) =>
    streamOrigin(archive.open(0), report, { bytes: archive.size, shard })(reading);
}
