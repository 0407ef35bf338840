import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, lstat, open, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { MANIFEST, parseEntryName, TRAILER, tuplesEntry } from '../archive/entries.js';
import { encodeManifest } from '../archive/manifest-json.js';
import { type EntryRecord, encodeTrailer } from '../archive/trailer.js';
import type { TupleBatch } from '../backup/batch.js';
import { needsOneShard } from '../backup/cluster.js';
import { type BackupEnd, type BackupItem, Counter, countsDiffer } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { messageOf, TntarError } from '../base/errors.js';
import { Lock } from '../base/lock.js';
import {
  aBoolean,
  aReport,
  aText,
  checkOptions,
  checkValue,
  type Kinds,
} from '../base/option-checks.js';
import { listOf, type Report, silent } from '../base/report.js';
import { TemporaryFolder } from '../base/temporary.js';
import { ItemWritable } from '../flow/item-writable.js';
import { SYSTEM_ID_MAX, SystemSpace } from '../schema/server/system-spaces.js';

/** Options of a directory. */
export interface DirectoryOptions {
  /**
   * Also write what the Lua module does not: all other system spaces, and the manifest and the trailer, which are
   * needed to verify the directory. Not possible for a backup that is `unvouched`. Default false.
   */
  all?: boolean;
  /** Receives what is left out; by default, nothing does. */
  report?: Report;
}

/** The checks of the options. */
export const DIRECTORY: Kinds<DirectoryOptions> = { all: aBoolean, report: aReport };

/** System spaces that the Lua module writes. */
const MODULE_SPACES: readonly number[] = [SystemSpace.SPACE, SystemSpace.INDEX];

/** The contents of the other system spaces, in words. */
const WHAT: ReadonlyMap<number, string> = new Map([
  [SystemSpace.SCHEMA, 'marks of applications'],
  [SystemSpace.COLLATION, 'collations'],
  [SystemSpace.SEQUENCE, 'sequences'],
  [SystemSpace.SEQUENCE_DATA, 'values of sequences'],
  [SystemSpace.FUNC, 'functions'],
  [SystemSpace.USER, 'users and roles'],
  [SystemSpace.PRIV, 'grants'],
  [SystemSpace.TRIGGER, 'triggers'],
  [SystemSpace.SPACE_SEQUENCE, 'links of spaces to sequences'],
  [SystemSpace.FK_CONSTRAINT, 'foreign keys'],
  [SystemSpace.CK_CONSTRAINT, 'checks'],
  [SystemSpace.FUNC_INDEX, 'functions of indexes'],
]);

/** Objects that definitions refer to by id. A server refuses a definition if its object is missing. */
const NEEDED: readonly number[] = [SystemSpace.COLLATION, SystemSpace.FUNC];

const FILE_MODE = 0o600;

/** The file that rows are being written to. */
interface OpenFile {
  spaceId: number;
  file: FileHandle;
  hash: Hash;
  record: Omit<EntryRecord, 'sha256'>;
}

function refuse(what: string): TntarError {
  return new TntarError('usage', what, {
    hint: 'name a new or an empty directory: nothing is overwritten',
  });
}

/**
 * Returns the error for `all` with an unproven backup: with a trailer, `verify` would report it as complete, although
 * a space may have been lost.
 */
function cannotVouch(): TntarError {
  return new TntarError(
    'archive',
    'this directory cannot get a trailer: nothing proves that it is complete',
    {
      hint: 'a directory of the Lua module has no trailer: extract it without --all',
    },
  );
}

/**
 * Checks that a path is free.
 *
 * @throws TntarError of kind `usage` if anything but an empty directory exists
 */
async function checkFree(path: string): Promise<void> {
  const stat = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw refuse(messageOf(error));
  });
  if (stat === undefined) return;
  if (!stat.isDirectory()) throw refuse(`${path} exists and is not a directory`);
  if ((await readdir(path)).length > 0) throw refuse(`${path} is not empty`);
}

/**
 * Removes the partial directory of a killed run. Call while holding the lock.
 *
 * @throws TntarError of kind `usage` if no run has left it
 */
async function removeLeftover(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return;
  const isOurs =
    stat.isDirectory() && (await readdir(path)).every((name) => parseEntryName(name) !== undefined);
  if (!isOurs) {
    throw new TntarError('usage', `${path} already exists, and tntar did not create it`, {
      hint: 'move or remove it',
    });
  }
  await rm(path, { recursive: true });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes one file for each space, with a name that comes from its id alone. */
class DirectorySink extends ItemWritable {
  readonly #path: string;
  readonly #all: boolean;
  readonly #report: Report;
  readonly #counter = new Counter();
  readonly #records: EntryRecord[] = [];
  readonly #left = new Map<number, number>();
  #lock: Lock | undefined;
  #folder: TemporaryFolder | undefined;
  #open: OpenFile | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(path: string, { all = false, report = silent }: DirectoryOptions) {
    super();
    this.#path = resolve(path);
    this.#all = all;
    this.#report = report;
  }

  override _construct(callback: (error?: Error) => void): void {
    this.#begin().then(() => callback(), callback);
  }

  protected take(item: BackupItem): Promise<void> {
    this.#working = this.#take(item);
    return this.#working;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cleanUp().then(
      () => callback(error),
      (worse: Error) => callback(error ?? worse),
    );
  }

  async #begin(): Promise<void> {
    const partial = `${this.#path}.partial`;
    await checkFree(this.#path);
    try {
      this.#lock = await Lock.take(partial, this.#path);
      await checkFree(this.#path); // another run may have ended meanwhile
      await removeLeftover(partial);
      this.#folder = await TemporaryFolder.at(partial);
    } catch (error) {
      if (error instanceof TntarError) throw error;
      throw refuse(`cannot create the directory: ${messageOf(error)}`);
    }
  }

  async #take(item: BackupItem): Promise<void> {
    if (item.kind === 'start') {
      if (item.cluster !== undefined) throw needsOneShard(item.cluster, 'extract');
      if (this.#all) await this.#writeSmall(MANIFEST, encodeManifest(item.manifest));
      this.#sayPartial(item.manifest);
    } else if (item.kind === 'tuples') {
      await this.#add(item);
      item.release?.();
    } else await this.#complete(item);
  }

  #sayPartial({ partial = [] }: Manifest): void {
    for (const what of partial) this.#report.note(`this is only a part of the database: ${what}`);
  }

  async #add(batch: TupleBatch): Promise<void> {
    this.#counter.add(batch);
    const { id } = batch.space;
    if (id <= SYSTEM_ID_MAX && !this.#all && !MODULE_SPACES.includes(id)) {
      this.#left.set(id, (this.#left.get(id) ?? 0) + batch.count);
      return;
    }
    if (this.#open?.spaceId !== id) {
      await this.#close();
      this.#open = await this.#create(id);
    }
    const { file, hash, record } = this.#open!;
    record.rows += batch.count;
    record.bytes += batch.bytes.length;
    if (this.#all) hash.update(batch.bytes);
    await file.writeFile(batch.bytes);
  }

  async #create(spaceId: number): Promise<OpenFile> {
    const name = tuplesEntry(spaceId);
    const file = await this.#newFile(name);
    return { spaceId, file, hash: createHash('sha256'), record: { name, rows: 0, bytes: 0 } };
  }

  /** Creates a file. If it already exists, rows of the space came in two places. */
  #newFile(name: string): Promise<FileHandle> {
    if (this.#folder === undefined) throw new Error('the directory does not exist');
    return open(join(this.#folder.path, name), 'wx', FILE_MODE);
  }

  async #close(): Promise<void> {
    if (this.#open === undefined) return;
    const { file, hash, record } = this.#open;
    await file.sync();
    await file.close();
    this.#open = undefined;
    this.#records.push({ ...record, sha256: hash.digest('hex') });
  }

  async #writeSmall(name: string, body: Buffer): Promise<void> {
    const file = await this.#newFile(name);
    try {
      await file.writeFile(body);
      await file.sync();
    } finally {
      await file.close();
    }
    const sha256 = createHash('sha256').update(body).digest('hex');
    this.#records.push({ name, rows: 0, bytes: body.length, sha256 });
  }

  async #complete(item: BackupEnd): Promise<void> {
    const { kind: _, counts, unvouched = false, ...closing } = item;
    if (this.#all && unvouched) throw cannotVouch();
    const difference = countsDiffer(counts, this.#counter.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
    await this.#close();
    if (this.#all) {
      await this.#writeSmall(TRAILER, encodeTrailer({ ...closing, entries: this.#records }));
    }
    await this.#publish();
    this.isComplete = true;
    if (this.#left.size === 0) return;
    const lines = [...this.#left].map(([id, rows]) => `${rows} ${WHAT.get(id)}`);
    this.#report.warn(
      `left out, because the format of the Lua module cannot hold them: ${listOf(lines)}`,
    );
    if (NEEDED.some((id) => this.#left.has(id))) {
      this.#report.warn(
        'if a space or an index needs one of these collations or functions, a restore with the Lua module fails',
      );
    }
  }

  async #publish(): Promise<void> {
    const folder = this.#folder!;
    await syncFolder(folder.path);
    await this.#lock!.check();
    try {
      await folder.keepAs(this.#path);
    } catch (error) {
      throw refuse(`cannot move the directory into place: ${messageOf(error)}`);
    }
    this.#folder = undefined;
    await syncFolder(dirname(this.#path));
  }

  async #cleanUp(): Promise<void> {
    await this.#working.catch(() => {});
    await this.#open?.file.close().catch(() => {});
    if ((await this.#lock?.isHeld()) === false) this.#folder?.leave();
    else await this.#folder?.remove();
    await this.#lock?.release();
  }
}

/**
 * A sink that writes a directory in the form of the Lua module `tarantool/dump`, which its restore accepts: one file
 * for each space, mode 0600, in a folder of mode 0700. The directory is complete or does not exist: until then it is
 * `PATH.partial`, which is removed when the stream is destroyed, or by the next run if this one is killed.
 *
 * @param path - of the directory, which must be new or empty
 * @returns a stream in object mode; its error is of kind `usage` if something else exists
 * @example
 * await pipeline(archiveSource(createReadStream('backup.tar.zst')), directorySink('/backup/dump'));
 */
export function directorySink(path: string, options: DirectoryOptions = {}): Writable {
  checkOptions('directorySink', options, DIRECTORY);
  checkValue('directorySink: the path', path, aText);
  return new DirectorySink(path, options);
}
