import { deepEqual, ok } from 'node:assert/strict';
import { parseEntryName, tuplesEntry } from '../../lib/archive/entries.js';
import { BLOCK_BYTES, parseTarHeader } from '../../lib/archive/tar.js';
import { isArchiveError } from '../unit/archive/reading.js';
import { mendChecksum } from './mending.js';

function check(block: Buffer): void {
  try {
    const { name, size } = parseTarHeader(block);
    ok(Number.isSafeInteger(size) && size >= 0);
    const read = parseEntryName(name);
    // no name can become a path
    if (read?.kind === 'tuples') deepEqual(tuplesEntry(read.spaceId, read.part), name);
  } catch (error) {
    ok(isArchiveError(error), error as Error);
  }
}

/** Reads `data` as a header of a tar, as it is, and with the checksum that it ought to have. */
export function fuzz(data: Buffer): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  data.copy(block);
  check(block);
  mendChecksum(block);
  check(block);
}
