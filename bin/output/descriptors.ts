import { fstatSync, readSync, statSync, writeSync } from 'node:fs';
import { TntarError } from '../../lib/base/errors.js';
import type { Surroundings } from './surroundings.js';

/** A standard descriptor, by its number. */
type Descriptor = 0 | 1;

const NULL_DEVICE = '/dev/null';

function isNullDevice(fd: Descriptor): boolean {
  const device = statSync(NULL_DEVICE, { throwIfNoEntry: false });
  const own = fstatSync(fd);
  return device !== undefined && own.isCharacterDevice() && own.rdev === device.rdev;
}

/** Tells whether the null device is open for reading and for writing: tries the direction that is not expected. */
function isForBoth(fd: Descriptor): boolean {
  const byte = Buffer.alloc(1);
  try {
    if (fd === 0) writeSync(fd, byte);
    else readSync(fd, byte);
    return true;
  } catch {
    return false; // EBADF
  }
}

/**
 * Tells whether a standard descriptor was closed when the process started, as with `>&-` in a shell.
 *
 * Before any JavaScript runs, Node opens /dev/null for reading and writing in place of each standard descriptor
 * that is closed (`PlatformInit` in its src/node.cc). So no file gets such a number later, but every write to it
 * succeeds and is lost. Shells, nohup, start-stop-daemon and systemd (`open_null_as` in its exec-invoke.c) open the
 * /dev/null that a user asks for in one direction only, which tells the two apart.
 *
 * One case cannot be told apart: a /dev/null that the calling program opened for both directions, such as
 * `subprocess.DEVNULL` of Python, `stdio: 'ignore'` of Node, or `daemon(3)`. Flags, position, mount and inode are
 * the same. It counts as closed: refusing a run whose output was to be thrown away costs a second attempt,
 * and taking a closed descriptor for a wanted /dev/null costs the backup. Therefore a descriptor is tested only by
 * the commands that need it. `restore`, `copy`, `verify`, `extract` and `dump -o` need no standard output, and
 * no command needs standard error: the exit code tells the outcome.
 */
function isClosed(fd: number | undefined): boolean {
  // a stream that stands for one of a process has no descriptor
  if (fd !== 0 && fd !== 1) return false;
  return isNullDevice(fd) && isForBoth(fd);
}

/** @throws TntarError of kind `usage` if what is written to standard output would be lost */
export function requireOutput({ stdout }: Surroundings): void {
  if (!isClosed(stdout.fd)) return;
  throw new TntarError('usage', 'standard output is closed: what tntar writes would be lost', {
    hint: 'redirect it to a file, a pipe, or /dev/null (open for writing only)',
  });
}

/** @throws TntarError of kind `archive` if there is no standard input to read from */
export function requireInput({ stdin }: Surroundings): void {
  if (!isClosed(stdin.fd)) return;
  throw new TntarError('archive', 'empty input: standard input is closed', {
    hint: 'name the archive, or use < FILE or a pipe',
  });
}
