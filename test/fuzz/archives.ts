import { equal, ok } from 'node:assert/strict';
import { frame } from '../support/archive-builder.js';
import { isArchiveError, readArchive } from '../unit/archive/reading.js';
import { mendChecksum, mendTrailer } from './mending.js';

const BLOCK = 512;

/** The size that a tar header claims, as far as there are bytes for it. */
function claimed(header: Buffer, most: number): number {
  const size = Number.parseInt(header.toString('latin1', 124, 136), 8);
  return Number.isNaN(size) ? 0 : Math.min(size, most);
}

/** Cuts a tar into what the frames of an archive hold: headers and bodies in turn, and the end. */
export function contentsOf(tar: Buffer, mends: boolean): Buffer[] {
  const contents: Buffer[] = [];
  for (let pos = 0; pos < tar.length; ) {
    const header = Buffer.from(tar.subarray(pos, pos + BLOCK));
    pos += BLOCK;
    if (header[0] === 0 || header.length < BLOCK) {
      contents.push(Buffer.concat([header, tar.subarray(pos)]));
      break;
    }
    if (mends) mendChecksum(header);
    const size = claimed(header, tar.length - pos);
    const body = tar.subarray(pos, pos + Math.ceil(size / BLOCK) * BLOCK);
    const isTrailer = mends && header.toString('latin1', 0, 12) === 'trailer.json';
    contents.push(header, isTrailer ? mendBody(header, body, size) : body);
    pos += body.length;
  }
  return contents;
}

/** A trailer whose sums fit, padded, its header changed to its new size. */
function mendBody(header: Buffer, body: Buffer, size: number): Buffer {
  const mended = mendTrailer(body.subarray(0, size));
  header.write(mended.length.toString(8).padStart(11, '0'), 124, 'latin1');
  mendChecksum(header);
  return Buffer.concat([mended, Buffer.alloc(-mended.length & (BLOCK - 1))]);
}

/** Reads `data` as an archive: a byte whose lowest bit asks for right checksums, and a tar. */
export async function fuzz(data: Buffer): Promise<void> {
  const mends = ((data[0] ?? 0) & 1) === 1;
  const frames = contentsOf(data.subarray(1), mends).map((content) => frame(content));
  const { items, error } = await readArchive(Buffer.concat(frames));
  if (error === undefined) equal(items.at(-1)?.kind, 'end');
  else ok(isArchiveError(error), error as Error);
}
