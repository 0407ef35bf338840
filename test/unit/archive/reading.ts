import { rejects } from 'node:assert/strict';
import type { BackupItem } from '../../../lib/backup/item.js';
import { TntarError } from '../../../lib/base/errors.js';
import { archiveSource } from '../../../lib/sources/archive.js';

/** Bytes as a stream gives them, in chunks of memory of their own. */
export async function* chunked(bytes: Buffer, size = Number.MAX_SAFE_INTEGER) {
  for (let pos = 0; pos < bytes.length; pos += size) {
    yield Buffer.from(bytes.subarray(pos, pos + size));
  }
}

/** What a reader got out of some input: the items up to its end, or up to the error. */
export interface Outcome {
  items: BackupItem[];
  error?: unknown;
}

/** The item in memory of its own; that of the reader is given back. */
function kept(item: BackupItem): BackupItem {
  if (item.kind !== 'tuples') return item;
  const { release, bytes, ...rest } = item;
  const copy = Buffer.from(bytes);
  release?.();
  return { ...rest, bytes: copy };
}

/** @param isStrict - whether a seek table that is there has to be right */
export function readArchive(bytes: Buffer, chunkSize?: number, isStrict = false): Promise<Outcome> {
  return readItems(archiveSource(chunked(bytes, chunkSize), { isStrict }));
}

export async function readItems(source: AsyncIterable<BackupItem>): Promise<Outcome> {
  const items: BackupItem[] = [];
  try {
    for await (const item of source) items.push(kept(item));
    return { items };
  } catch (error) {
    return { items, error };
  }
}

export function isArchiveError(error: unknown): boolean {
  return error instanceof TntarError && error.kind === 'archive' && !error.message.includes('\n');
}

/** Asserts that `bytes` are refused as an archive, by a message that matches. */
export async function refuses(bytes: Buffer, message: RegExp): Promise<void> {
  const reading = async (): Promise<void> => {
    const { error } = await readArchive(bytes);
    if (error !== undefined) throw error;
  };
  await rejects(reading, { name: 'TntarError', kind: 'archive', message });
}
