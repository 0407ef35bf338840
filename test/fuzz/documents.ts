import { deepEqual, ok } from 'node:assert/strict';
import { decodeManifest, encodeManifest } from '../../lib/archive/manifest-json.js';
import { decodeTrailer, encodeTrailer } from '../../lib/archive/trailer.js';
import { isArchiveError } from '../unit/archive/reading.js';
import { mendTrailer } from './mending.js';

/** Reads a document, and what is made of it again; all that may go wrong is an error of the archive. */
function check<T>(bytes: Buffer, decode: (bytes: Buffer) => T, encode: (value: T) => Buffer): void {
  let read: T;
  try {
    read = decode(bytes);
  } catch (error) {
    ok(isArchiveError(error), error as Error);
    return;
  }
  deepEqual(decode(encode(read)), read);
}

/** Reads `data` as the manifest and as the trailer of an archive. */
export function fuzz(data: Buffer): void {
  check(data, decodeManifest, encodeManifest);
  check(data, decodeTrailer, encodeTrailer);
  check(mendTrailer(data), decodeTrailer, encodeTrailer);
}
