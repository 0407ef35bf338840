import { open, statfs } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path/posix';
import { MAX_ENTRIES, MAX_JSON_BYTES } from '../archive/limits.js';
import { type TarEntry, untar } from '../archive/tar.js';
import { TntarError } from '../errors.js';
import { quoted, shorten } from '../report.js';
import { type NamedFile, namedFile } from './folder.js';

const MODE = 0o600;

function refuse(what: string): TntarError {
  return new TntarError('archive', what, {
    hint: 'a tar of a dump has regular files that are named by the ids of spaces',
  });
}

/** @throws TntarError where such a file cannot be of a dump, or does not fit into `folder` */
async function checkSize({ name, entry }: NamedFile, size: number, folder: string): Promise<void> {
  if (entry.kind !== 'tuples') {
    if (size > MAX_JSON_BYTES) throw refuse(`${name} claims ${size} bytes`);
    return;
  }
  const { bavail, bsize } = await statfs(folder);
  if (size <= bavail * bsize) return;
  throw new TntarError(
    'failure',
    `${name} claims ${size} bytes, and ${folder} has no room for it`,
    {
      hint: 'TMPDIR chooses another place; or unpack the tar, and read the directory with -i',
    },
  );
}

async function store(
  { body, size, modified }: TarEntry,
  { name }: NamedFile,
  folder: string,
): Promise<void> {
  const file = await open(join(folder, name), 'wx', MODE);
  try {
    let bytes = 0;
    for await (const chunk of body) {
      await file.writev([chunk]);
      bytes += chunk.length;
    }
    if (bytes !== size) throw refuse(`${name} claims ${size} bytes, and has ${bytes}`);
    await file.utimes(modified, modified);
  } finally {
    await file.close();
  }
}

async function passOver(body: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of body);
}

/**
 * Unpacks a tar of a directory of the Lua module, or of an unpacked archive, in whatever order its entries
 * come. They are of one folder: rows of another backup in a folder beside or below it are none of this one. Of
 * their names only the last part counts, and only where it is one that we could have given: what is written is
 * named by us.
 *
 * @param input - the tar, not compressed
 * @param folder - where the files go; has to be empty
 * @returns names of files that are no dumps, and were passed over
 * @throws TntarError of kind `archive` for links, devices, names that are there twice, files of two folders, and
 *   for what is no tar
 */
export async function spool(input: AsyncIterable<Buffer>, folder: string): Promise<string[]> {
  const stored = new Set<string>();
  const others: string[] = [];
  let [count, home] = [0, ''];
  for await (const entry of untar(input)) {
    if (++count > MAX_ENTRIES) throw refuse(`the tar has over ${MAX_ENTRIES} entries`);
    const { name, type, size, body } = entry;
    if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') {
      throw refuse(`entry ${quoted(name)} is no regular file`);
    }
    const file = type === 'directory' ? undefined : namedFile(basename(name));
    if (file === undefined) {
      if (type !== 'directory') others.push(shorten(name));
      await passOver(body);
      continue;
    }
    if (stored.has(file.name)) throw refuse(`${file.name} is there twice`);
    const from = normalize(dirname(name));
    if (stored.size === 0) home = from;
    else if (from !== home) {
      throw refuse(`dumps are in two folders, ${quoted(home)} and ${quoted(from)}`);
    }
    stored.add(file.name);
    await checkSize(file, size, folder);
    await store(entry, file, folder);
  }
  if (stored.size === 0) throw refuse('the tar has no dump of a space');
  return others;
}
