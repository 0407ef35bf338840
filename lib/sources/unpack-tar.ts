import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, normalize } from 'node:path/posix';
import { type TarEntry, untar } from '../archive/tar.js';
import { MAX_ENTRIES, MAX_JSON_BYTES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';
import { quoted, shorten } from '../base/report.js';
import type { ScratchFile } from '../base/scratch.js';
import { CHUNK_BYTES, type FileStore, Folder, type NamedFile, namedFile } from './folder.js';

function refuse(what: string): TntarError {
  return new TntarError('archive', what, {
    hint: 'a tar of a dump has regular files that are named by the ids of spaces',
  });
}

/** @throws TntarError if such a file cannot be of a dump, or does not fit into `TMPDIR` */
async function checkSize({ name, entry }: NamedFile, size: number): Promise<void> {
  const folder = tmpdir();
  if (entry.kind !== 'tuples') {
    if (size > MAX_JSON_BYTES) throw refuse(`${name} claims ${size} bytes`);
    return;
  }
  const { bavail, bsize } = await statfs(folder);
  if (size <= bavail * bsize) return;
  throw new TntarError(
    'failure',
    `${name} claims ${size} bytes, and ${folder} does not have enough space for it`,
    {
      hint: 'set TMPDIR to another directory, or unpack the tar and read the directory with -i',
    },
  );
}

/** An entry in the temporary file. */
interface Stored {
  file: NamedFile;
  start: number;
  end: number;
  modified: Date;
}

/** Entries of a tar, one after the other in a temporary file. */
class Spooled implements FileStore {
  readonly entries = new Map<string, Stored>();
  readonly #scratch: ScratchFile;

  constructor(scratch: ScratchFile) {
    this.#scratch = scratch;
  }

  async store({ body, size, modified }: TarEntry, file: NamedFile): Promise<void> {
    const start = this.#scratch.size;
    for await (const chunk of body) await this.#scratch.append(chunk);
    const end = this.#scratch.size;
    if (end - start !== size) {
      throw refuse(`${file.name} claims ${size} bytes, and has ${end - start}`);
    }
    this.entries.set(file.name, { file, start, end, modified });
  }

  async modified(name: string): Promise<Date> {
    return this.#entry(name).modified;
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const { start, end } = this.#entry(name);
    for (let at = start; at < end; at += CHUNK_BYTES) {
      yield await this.#scratch.read(at, Math.min(end, at + CHUNK_BYTES));
    }
  }

  #entry(name: string): Stored {
    const stored = this.entries.get(name);
    if (stored === undefined) throw refuse(`${name} is missing`);
    return stored;
  }
}

async function passOver(body: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of body);
}

/**
 * Unpacks a tar of a directory of the Lua module, or of an unpacked archive, with entries in any order.
 * All of them must be in one folder, because another folder beside or below it may have rows of another backup. Only
 * the last part of a name counts, and only if tntar could have written a file with this name.
 *
 * @param input - the tar, not compressed
 * @param scratch - gets the bytes of the files; has to be empty
 * @throws TntarError of kind `archive` for links, devices, names that occur twice, files of two folders, and
 *   for an input that is not a tar
 */
export async function spool(input: AsyncIterable<Buffer>, scratch: ScratchFile): Promise<Folder> {
  const spooled = new Spooled(scratch);
  const stored = spooled.entries;
  const others: string[] = [];
  let [count, home] = [0, ''];
  for await (const entry of untar(input)) {
    if (++count > MAX_ENTRIES) throw refuse(`the tar has over ${MAX_ENTRIES} entries`);
    const { name, type, size, body } = entry;
    if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') {
      throw refuse(`entry ${quoted(name)} is not a regular file`);
    }
    const file = type === 'directory' ? undefined : namedFile(basename(name));
    if (file === undefined) {
      if (type !== 'directory') others.push(shorten(name));
      await passOver(body);
      continue;
    }
    if (stored.has(file.name)) throw refuse(`${file.name} occurs twice`);
    const from = normalize(dirname(name));
    if (stored.size === 0) home = from;
    else if (from !== home) {
      throw refuse(`dumps are in two folders, ${quoted(home)} and ${quoted(from)}`);
    }
    await checkSize(file, size);
    await spooled.store(entry, file);
  }
  if (stored.size === 0) throw refuse('the tar has no dump of a space');
  const files = [...stored.values()].map(({ file }) => file);
  return new Folder(spooled, files, others);
}
