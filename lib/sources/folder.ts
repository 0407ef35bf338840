import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EntryName, parseEntryName } from '../archive/entries.js';
import { MAX_ENTRIES, MAX_JSON_BYTES } from '../backup/limits.js';
import { messageOf, TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';

/** The meaning of one file of a folder, by its name. */
export interface NamedFile {
  /** The name of the entry of an archive. */
  name: string;
  entry: EntryName;
}

function refuse(what: string, hint?: string): TntarError {
  return new TntarError('archive', what, { hint });
}

/**
 * Returns the file that a name means in a directory of the Lua module or in an unpacked archive.
 *
 * @returns undefined for names that the restore of the module ignores, too: it takes `*.dump`, as a shell does
 * @throws TntarError of kind `archive` for the name of a dump that does not belong to a space
 * @example
 * namedFile('512.dump'); // { name: '512.dump', entry: { kind: 'tuples', spaceId: 512 } }
 */
export function namedFile(name: string): NamedFile | undefined {
  const entry = parseEntryName(name);
  if (entry !== undefined) return { name, entry };
  if (name.startsWith('.') || !name.endsWith('.dump')) return undefined;
  throw refuse(`a file of the name ${quoted(name)}`, 'a dump is named by the id of its space');
}

/** The number of bytes that are read at a time. */
export const CHUNK_BYTES = 1024 * 1024;

/** Opens a regular file that is in the folder itself: no link, and nothing that would make us wait. */
async function openRegular(path: string, name: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw refuse(`${name} is a link`, 'replace the link with the file: links are not followed');
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refuse(`${name} is not a regular file`);
}

/** A place that holds files by name. */
export interface FileStore {
  /** Returns when the file was written to. */
  modified(name: string): Promise<Date>;
  /** Yields the bytes of a file, in bounded pieces. */
  read(name: string): AsyncGenerator<Buffer>;
}

/** A directory of the file system. */
class Directory implements FileStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async modified(name: string): Promise<Date> {
    return (await stat(join(this.#path, name))).mtime;
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const file = await openRegular(join(this.#path, name), name);
    yield* createReadStream('', { fd: file, highWaterMark: CHUNK_BYTES });
  }
}

/**
 * The files of a directory of the Lua module, or of an unpacked archive.
 *
 * @example
 * const folder = await Folder.open('/backup/dump');
 * for await (const chunk of folder.read('512.dump')) console.log(chunk.length);
 */
export class Folder {
  /** The files, in no order. */
  readonly files: readonly NamedFile[];
  /** The names of other files, which are ignored. */
  readonly others: readonly string[];
  readonly #store: FileStore;
  readonly #names: ReadonlySet<string>;

  constructor(store: FileStore, files: readonly NamedFile[], others: readonly string[]) {
    this.#store = store;
    this.files = files;
    this.others = others;
    this.#names = new Set(files.map(({ name }) => name));
  }

  /** @throws TntarError of kind `usage` if the folder cannot be read; of kind `archive` by {@link namedFile} */
  static async open(path: string): Promise<Folder> {
    let names: string[];
    try {
      names = await readdir(path);
    } catch (error) {
      throw new TntarError('usage', `cannot read the directory: ${messageOf(error)}`, {
        hint: 'check the name, and that you may read the file',
      });
    }
    const files = names.flatMap((name) => namedFile(name) ?? []);
    if (files.length > MAX_ENTRIES) throw refuse(`the directory has over ${MAX_ENTRIES} files`);
    const known = new Set(files.map(({ name }) => name));
    return new Folder(
      new Directory(path),
      files,
      names.filter((name) => !known.has(name)),
    );
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The time of the last change of the file. */
  modified(name: string): Promise<Date> {
    return this.#store.modified(name);
  }

  /** The bytes of one of the files, in bounded pieces. */
  read(name: string): AsyncGenerator<Buffer> {
    return this.#store.read(name);
  }

  /**
   * A whole manifest or trailer.
   *
   * @throws TntarError of kind `archive` for one that is larger than any
   */
  async readSmall(name: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.read(name)) {
      bytes += chunk.length;
      if (bytes > MAX_JSON_BYTES) throw refuse(`${name} has over ${MAX_JSON_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}
