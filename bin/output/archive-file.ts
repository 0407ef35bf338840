import { lstatSync } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import { Lock } from '../../lib/base/lock.js';
import { statOf } from '../options/files.js';
import { requirePath } from '../options/places.js';
import type { Run } from './run.js';
import { archiveOutput } from './standard-output.js';

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const partialOf = (file: string): string => `${file}.partial`;

/** Password hashes and all data: for the owner's eyes. */
const PRIVATE = 0o600;

function refuseExisting(file: string): TntarError {
  return new TntarError('usage', `${file} exists`, {
    hint: 'choose another name, or remove it first: a backup is never overwritten',
  });
}

/** Returns the part of a path that exists and stands in the place of a folder. */
function wrongPart(file: string): string {
  let part = dirname(partialOf(file));
  while (statOf(part) === undefined && dirname(part) !== part) part = dirname(part);
  return part;
}

/** Says why a file cannot be written, and what to do about it; no hint where that depends. */
function reasonOf(file: string, error: unknown): { why: string; hint?: string } {
  const folder = dirname(partialOf(file));
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return {
        why: `ENOENT, the folder ${folder} does not exist`,
        hint: `create the folder ${folder} first, or choose another one`,
      };
    case 'ENOTDIR':
      return {
        why: `ENOTDIR, ${wrongPart(file)} is a file, not a folder`,
        hint: 'choose a name in a folder that exists',
      };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return { why: messageOf(error), hint: 'choose a folder in which you may create files' };
    case 'ENAMETOOLONG':
      return { why: messageOf(error), hint: 'choose a shorter name' };
    default:
      return { why: messageOf(error) };
  }
}

function cannotWrite(file: string, error: unknown): TntarError {
  if (error instanceof TntarError) return error;
  const { why, hint } = reasonOf(file, error);
  return new TntarError('usage', `cannot write ${file}: ${why}`, { hint, cause: error });
}

/**
 * Tells whether a file exists. A link counts, wherever it leads.
 *
 * @throws TntarError of kind `usage` if no file can have this path
 */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** Gives `partial` the name `file`, unless something of that name has appeared. */
async function publish(partial: string, file: string): Promise<void> {
  try {
    await link(partial, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw refuseExisting(file);
    // A file system without hard links.
    if (isThere(file)) throw refuseExisting(file);
    await rename(partial, file);
    return;
  }
  await rm(partial);
}

/** Creates `FILE.partial`, and removes what a killed run left of it. Call with the lock. */
async function openPartial(file: string): Promise<FileHandle> {
  const partial = partialOf(file);
  if (lstatSync(partial, { throwIfNoEntry: false })?.isDirectory() === true) {
    const message = `cannot write ${file}: ${partial} is a directory, and tntar needs this name for a file`;
    throw new TntarError('usage', message, {
      hint: `move or remove ${partial}, or choose another name`,
    });
  }
  try {
    await rm(partial, { force: true });
    return await open(partial, 'wx', PRIVATE);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** Writes with the lock; see {@link writeWhole}. */
async function writeLocked<T>(
  lock: Lock,
  file: string,
  signal: AbortSignal,
  work: (output: Writable) => Promise<T>,
): Promise<T> {
  if (isThere(file)) throw refuseExisting(file); // another run may have ended meanwhile
  const partial = partialOf(file);
  const handle = await openPartial(file);
  try {
    const result = await work(handle.createWriteStream({ flush: true }));
    signal.throwIfAborted();
    await lock.check();
    await publish(partial, file);
    await syncFolder(file);
    return result;
  } catch (error) {
    await handle.close().catch(() => {}); // where `work` failed before it wrote
    if (await lock.isHeld()) await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Writes a file that is there whole or not at all: `work` writes to `FILE.partial`, which is synced to
 * disk and then gets its name.
 *
 * @throws TntarError of kind `usage` if the file exists, or another run is writing it
 */
async function writeWhole<T>(
  file: string,
  signal: AbortSignal,
  work: (output: Writable) => Promise<T>,
): Promise<T> {
  if (isThere(file)) throw refuseExisting(file);
  const lock = await Lock.take(partialOf(file), file).catch((error: unknown) => {
    throw cannotWrite(file, error);
  });
  try {
    return await writeLocked(lock, file, signal, work);
  } finally {
    await lock.release();
  }
}

const isTerminal = (what: string): TntarError =>
  new TntarError('usage', `${what} is a terminal, and an archive is binary`, {
    hint: 'use -o FILE, > FILE, or a pipe',
  });

/** Writes to a device, such as /dev/null or a tape, which already exists and is not replaced. */
async function writeDevice<T>(file: string, work: (output: Writable) => Promise<T>): Promise<T> {
  const handle = await open(file, 'w').catch((error: unknown) => {
    throw cannotWrite(file, error);
  });
  try {
    if (isatty(handle.fd)) throw isTerminal(file);
    return await work(handle.createWriteStream());
  } finally {
    await handle.close().catch(() => {}); // closed already, unless `work` failed before it wrote
  }
}

/** Runs `work` with standard output, or with the file of `-o`, which no run leaves that `signal` stopped. */
export function withOutput<T>(
  run: Run,
  file: string | undefined,
  signal: AbortSignal,
  work: (output: Writable) => Promise<T>,
): Promise<T> {
  if (file !== undefined && file !== '-') {
    requirePath('-o', file);
    if (statOf(file)?.isCharacterDevice() === true) return writeDevice(file, work);
    return writeWhole(file, signal, work);
  }
  if (run.process.stdout.isTTY) throw isTerminal('standard output');
  return work(archiveOutput(run));
}
