import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { ArchiveFile } from '../lib/archive/archive-file.js';
import { messageOf, TntarError } from '../lib/errors.js';
import { requireInput } from './descriptors.js';
import { archiveOutput } from './standard-output.js';

function openFile(file: string): number {
  try {
    const fd = openSync(file, 'r');
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
    throw new Error(`${file} is a directory`);
  } catch (error) {
    throw new TntarError('usage', `cannot read the archive: ${messageOf(error)}`, {
      hint: 'is the name right, and may you read it?',
    });
  }
}

/** @throws TntarError if standard input is a terminal, or closed */
function checkStandardInput(): void {
  requireInput();
  if (!process.stdin.isTTY) return;
  throw new TntarError('usage', 'standard input is a terminal, not an archive', {
    hint: 'use -i FILE, < FILE, or a pipe',
  });
}

/** Standard input, or the file of `-i`. */
export function openInput(file: string | undefined): Readable {
  if (file !== undefined && file !== '-') return createReadStream(file, { fd: openFile(file) });
  checkStandardInput();
  return process.stdin;
}

/** What the file system says of a file; undefined where it says no: whoever opens it is told why. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

/** Where the next read is, which another program may have moved; only Linux tells. */
function positionOf(fd: number): number {
  const info = `/proc/self/fdinfo/${fd}`;
  return existsSync(info) ? Number(/^pos:\s+(\d+)$/m.exec(readFileSync(info, 'utf8'))?.[1]) : 0;
}

/**
 * What {@link openInput} reads, from any byte of it on, and again.
 *
 * @returns undefined for a pipe, which is read once, and for a file that is not there
 */
export function archiveFile(file: string | undefined): ArchiveFile | undefined {
  if (file !== undefined && file !== '-') {
    const stats = statOf(file);
    if (stats?.isFile() !== true) return undefined;
    return { size: stats.size, open: (start) => createReadStream(file, { start }) };
  }
  const fd = process.stdin.fd;
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
export function checkInput(file: string | undefined): void {
  if (file === undefined || file === '-') checkStandardInput();
  else if (statOf(file)?.isFIFO() !== true) closeSync(openFile(file));
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Password hashes and all data: for the owner's eyes. */
const PRIVATE = 0o600;

function refuseExisting(file: string): TntarError {
  return new TntarError('usage', `${file} exists`, {
    hint: 'choose another name, or remove it first: a backup is never overwritten',
  });
}

/** Gives `partial` the name `file`, unless something of that name has appeared. */
async function publish(partial: string, file: string): Promise<void> {
  try {
    await link(partial, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw refuseExisting(file);
    // A file system without hard links.
    await rename(partial, file);
    return;
  }
  await rm(partial);
}

async function openPartial(partial: string): Promise<FileHandle> {
  try {
    return await open(partial, 'wx', PRIVATE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw refuseExisting(partial);
    throw new TntarError('usage', `cannot write the output: ${messageOf(error)}`);
  }
}

/**
 * Writes a file that is there whole or not at all: `work` writes to `FILE.partial`, which is synced to
 * disk and then gets its name.
 *
 * @throws TntarError of kind `usage` where one of the two files exists
 */
async function writeWhole<T>(
  file: string,
  signal: AbortSignal,
  work: (output: Writable) => Promise<T>,
): Promise<T> {
  if (existsSync(file)) throw refuseExisting(file);
  const partial = `${file}.partial`;
  const handle = await openPartial(partial);
  try {
    const result = await work(handle.createWriteStream({ flush: true }));
    signal.throwIfAborted();
    await publish(partial, file);
    await syncFolder(file);
    return result;
  } catch (error) {
    await handle.close().catch(() => {}); // where `work` failed before it wrote
    await rm(partial, { force: true });
    throw error;
  }
}

/** Runs `work` with standard output, or with the file of `-o`, which no run leaves that `signal` stopped. */
export function withOutput<T>(
  file: string | undefined,
  signal: AbortSignal,
  work: (output: Writable) => Promise<T>,
): Promise<T> {
  if (file !== undefined && file !== '-') return writeWhole(file, signal, work);
  if (process.stdout.isTTY) {
    throw new TntarError('usage', 'standard output is a terminal, and an archive is no text', {
      hint: 'use -o FILE, > FILE, or a pipe',
    });
  }
  return work(archiveOutput());
}
