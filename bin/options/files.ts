import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { parseEntryName } from '../../lib/archive/entries.js';
import type { ArchiveFile } from '../../lib/archive/input.js';
import type { OpenFrom } from '../../lib/archive/survey.js';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import { requireInput } from '../output/descriptors.js';
import type { Surroundings } from '../output/surroundings.js';

function openFile(file: string): number {
  try {
    const fd = openSync(file, 'r');
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
    throw new Error(`${file} is a directory`);
  } catch (error) {
    throw new TntarError('usage', `cannot read the archive: ${messageOf(error)}`, {
      hint: 'check the name, and that you may read the file',
    });
  }
}

/** @throws TntarError if standard input is a terminal, or closed */
function checkStandardInput(process: Surroundings): void {
  requireInput(process);
  if (!process.stdin.isTTY) return;
  throw new TntarError('usage', 'standard input is a terminal, not an archive', {
    hint: 'name a FILE, or use -i FILE, < FILE, or a pipe',
  });
}

/** Opens standard input, or a file. */
export function openInput(process: Surroundings, file: string | undefined): Readable {
  if (file !== undefined && file !== '-') return createReadStream(file, { fd: openFile(file) });
  checkStandardInput(process);
  return process.stdin;
}

/** The first bytes of a zstd frame (RFC 8878). Here, so that looking at an argument does not load the library. */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Tells whether a file begins as archives do; false if it cannot be read. */
export function isZstd(file: string): boolean {
  try {
    const fd = openSync(file, 'r');
    try {
      const start = Buffer.alloc(ZSTD_MAGIC.length);
      readSync(fd, start);
      return start.equals(ZSTD_MAGIC);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** Tells whether a directory holds files of a dump. @throws the system's error */
export function holdsDump(path: string): boolean {
  return readdirSync(path).some(
    (name) => name.endsWith('.dump') || parseEntryName(name) !== undefined,
  );
}

/** The ends of names that people give to archives, and to tars that tntar reads as well. */
export const ARCHIVE_NAME = /\.(zst|tzst|tar|tgz|gz)$/;

/** Returns the facts of the file system about a file; undefined if there are none: opening the file then tells why. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

/** Returns the position of the next read, which another program may have moved; only Linux tells. */
function positionOf(fd: number): number {
  const info = `/proc/self/fdinfo/${fd}`;
  return existsSync(info) ? Number(/^pos:\s+(\d+)$/m.exec(readFileSync(info, 'utf8'))?.[1]) : 0;
}

/** An archive on this machine. */
export interface LocalFile extends ArchiveFile {
  open: OpenFrom;
}

/**
 * What {@link openInput} reads, from any byte of it on, and again.
 *
 * @returns undefined for a pipe, which is read once, and for a file that is not there
 */
export function archiveFile(
  process: Surroundings,
  file: string | undefined,
): LocalFile | undefined {
  if (file !== undefined && file !== '-') {
    const stats = statOf(file);
    if (stats?.isFile() !== true) return undefined;
    return { size: stats.size, open: (start) => createReadStream(file, { start }) };
  }
  const { fd } = process.stdin;
  if (fd === undefined) return undefined;
  const stats = fstatSync(fd);
  if (!stats.isFile() || positionOf(fd) > 0) return undefined;
  return {
    size: stats.size,
    open: (start) => createReadStream('', { fd, start, autoClose: false }),
  };
}

/**
 * Does not wait for a pipe, which somebody has to open at its other end.
 *
 * @throws TntarError for what {@link openInput} refuses
 */
export function checkInput(process: Surroundings, file: string | undefined): void {
  if (file === undefined || file === '-') checkStandardInput(process);
  else if (statOf(file)?.isFIFO() !== true) closeSync(openFile(file));
}
