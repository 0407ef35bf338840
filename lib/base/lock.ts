import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { lstat, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from './defined.js';
import { TntarError } from './errors.js';

/** The time after which a run shows again that it is alive. */
const BEAT_MS = 20_000;
/** A run that cannot be looked up counts as dead after this time without a beat; NFS may show a beat a minute late. */
const SILENCE_MS = 300_000;
/** Time to write the few bytes of a lock that was just created. */
const WRITING_MS = 1000;
/** Far more time than it takes to remove the lock of a dead run. */
const REMOVING_MS = 10_000;
const POLL_MS = 50;
/** Readable for all: the holder is not a secret, and other users have to see it. */
const MODE = 0o644;

/** The process that holds a lock, as the lock file names it. */
interface Holder {
  /** Tells two locks of one process apart. */
  id: string;
  pid: number;
  host: string;
  /** The start of the process, in clock ticks since the boot; a number may be given to another process later. */
  start?: string;
  /** The boot of the machine. */
  boot?: string;
  /** The namespace in which the number of the process counts: containers have their own. */
  namespace?: string;
}

/** Reads a fact of the kernel, which only Linux has. */
function fact(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Reads state and start of a process: fields 3 and 22 of `/proc/PID/stat`, see proc(5). */
function processStat(pid: number): { state: string; start: string } | undefined {
  const text = fact(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is a name in brackets, which may hold any character.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields.length < 20) return undefined;
  return { state: fields[0]!, start: fields[19]! };
}

function ourselves(): Holder {
  const start = processStat(process.pid)?.start;
  const boot = fact(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = fact(() => readlinkSync('/proc/self/ns/pid'));
  return {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    ...defined({ start, boot, namespace }),
  };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    if (typeof holder?.id !== 'string' || typeof holder.host !== 'string') return undefined;
    return Number.isSafeInteger(holder.pid) && holder.pid! > 0 ? (holder as Holder) : undefined;
  } catch {
    return undefined; // killed, or out of power, before the text was on the disk
  }
}

/** Tells whether a process of our own machine runs; undefined if only its number can be known. */
function isRunning({ pid, start }: Holder): boolean | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const found = processStat(pid);
  if (found === undefined || start === undefined) return undefined;
  // A process that was killed keeps its number until its parent has asked for its exit code.
  return found.start === start && !/[ZX]/.test(found.state);
}

/** Tells whether we can look up a process by the number that the holder has. */
function isNear(holder: Holder, own: Holder): boolean {
  if (holder.boot === undefined || own.boot === undefined) return holder.host === own.host;
  return holder.boot === own.boot && holder.namespace === own.namespace;
}

function isAlive(holder: Holder, ageMs: number): boolean {
  const own = ourselves();
  const isRebooted = holder.host === own.host && holder.boot !== own.boot;
  if (isRebooted && holder.boot !== undefined && own.boot !== undefined) return false;
  const running = isNear(holder, own) ? isRunning(holder) : undefined;
  return running ?? ageMs < SILENCE_MS;
}

function refuse(path: string, file: string, holder: Holder): TntarError {
  const own = ourselves();
  const isForeign = !isNear(holder, own);
  const where = holder.host === own.host ? '' : ` on host '${holder.host}'`;
  const message = `another tntar, process ${holder.pid}${where}, is writing ${path}`;
  const wait = 'wait until it ends, or choose another name';
  return new TntarError('usage', message, {
    hint: isForeign
      ? `${wait}; if it was killed, try again in ${SILENCE_MS / 60_000} minutes, or remove ${file}`
      : wait,
  });
}

function refuseOther(file: string, path: string): TntarError {
  const message = `cannot write ${path}: ${file} is not a file, and tntar needs this name for its lock`;
  return new TntarError('usage', message, {
    hint: `move or remove ${file}, or choose another name`,
  });
}

/**
 * Reads a lock file; undefined if it does not exist any more.
 *
 * @param path - the name that the lock protects, for messages
 * @throws TntarError of kind `usage` for a directory, a pipe, a link or a device, which no run leaves
 */
async function readLock(
  file: string,
  path: string,
): Promise<{ text: string; ageMs: number } | undefined> {
  try {
    const stat = await lstat(file);
    if (!stat.isFile()) throw refuseOther(file, path);
    return { text: await readFile(file, 'utf8'), ageMs: Date.now() - stat.mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The same after its holder had the time to write it. */
async function readWritten(
  file: string,
  path: string,
): Promise<{ text: string; ageMs: number } | undefined> {
  const deadline = performance.now() + WRITING_MS;
  for (;;) {
    const lock = await readLock(file, path);
    if (lock === undefined || parseHolder(lock.text) !== undefined) return lock;
    if (performance.now() > deadline) return lock;
    await sleep(POLL_MS);
  }
}

/**
 * Removes the lock of a dead holder. Two runs may find it dead at the same time, and the slower one must not remove the
 * lock that the faster one has made since. So one run at a time may remove: the one that has made the file `.removing`,
 * and it reads the lock once more.
 */
async function removeDead(file: string, text: string): Promise<void> {
  const guard = `${file}.removing`;
  if (!(await create(guard, ''))) {
    await removeOld(guard);
    await sleep(POLL_MS);
    return;
  }
  try {
    const found = await readFile(file, 'utf8').catch(() => undefined);
    if (found === text) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

/** Removes the file of a run that was killed while it removed a lock. */
async function removeOld(guard: string): Promise<void> {
  const made = await lstat(guard).catch(() => undefined);
  if (made !== undefined && Date.now() - made.mtimeMs > REMOVING_MS) {
    await rm(guard, { force: true });
  }
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: MODE });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * The right to write one file or folder, which one run at a time has. It is a file `PATH.lock` that names the
 * process. If a run was killed, or its machine lost power, its lock stops no other run: on the same
 * machine the process is looked up; of one on another machine or in another container, the lock has to be touched
 * every {@link BEAT_MS}.
 *
 * @example
 * const lock = await Lock.take('backup.tar.zst.partial', 'backup.tar.zst');
 * try {
 *   await write('backup.tar.zst.partial');
 *   await lock.check();
 *   await rename('backup.tar.zst.partial', 'backup.tar.zst');
 * } finally {
 *   await lock.release();
 * }
 */
export class Lock {
  readonly #file: string;
  readonly #text: string;
  readonly #path: string;
  readonly #beat: NodeJS.Timeout;
  readonly #onExit = (): void => {
    if (fact(() => readFileSync(this.#file, 'utf8')) === this.#text) rmSync(this.#file);
  };

  private constructor(file: string, text: string, path: string) {
    this.#file = file;
    this.#text = text;
    this.#path = path;
    this.#beat = setInterval(() => {
      const now = new Date();
      utimes(file, now, now).catch(() => {}); // check() finds that it has gone
    }, BEAT_MS).unref();
    process.once('exit', this.#onExit);
  }

  /**
   * @param partial - the file that is written
   * @param path - the name that it gets at the end, for messages
   * @throws TntarError of kind `usage` if another run has the lock, or if the lock's name is
   *   taken by something else; an error of the system
   */
  static async take(partial: string, path: string): Promise<Lock> {
    const file = `${partial}.lock`;
    const text = `${JSON.stringify(ourselves())}\n`;
    while (!(await create(file, text))) {
      const found = await readWritten(file, path);
      if (found === undefined) continue;
      const holder = parseHolder(found.text);
      if (holder !== undefined && isAlive(holder, found.ageMs)) throw refuse(path, file, holder);
      await removeDead(file, found.text);
    }
    return new Lock(file, text, path);
  }

  /** Tells whether no other run has taken this one for dead. */
  async isHeld(): Promise<boolean> {
    const lock = await readLock(this.#file, this.#path).catch(() => undefined);
    return lock?.text === this.#text;
  }

  /** @throws TntarError of kind `failure` if another run has taken this one for dead */
  async check(): Promise<void> {
    if (await this.isHeld()) return;
    throw new TntarError('failure', `another run has taken over ${this.#path} from this one`, {
      hint: `decide which run may write it, and start that run again: this run was suspended for long, or ${this.#file} was removed`,
    });
  }

  /** Gives the right back. */
  async release(): Promise<void> {
    clearInterval(this.#beat);
    process.off('exit', this.#onExit);
    if (await this.isHeld()) await rm(this.#file, { force: true });
  }
}
