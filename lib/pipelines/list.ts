import { type ArchiveIndex, countsOf } from '../archive/archive-file.js';
import {
  type ArchiveFile,
  type ArchiveInput,
  isFile,
  openInput,
  openingBuffers,
} from '../archive/input.js';
import { type Count, NO_ROWS } from '../backup/item.js';
import { unlessAborted } from '../base/errors.js';
import { checkOptions } from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { indexedSource, indexOf, wantedOf } from '../sources/archive-file.js';
import type { VerifyResult } from './verify.js';
import { VERIFY_OPTIONS, type VerifyOptions } from './verify-options.js';

/** Options of a list. */
export type ListOptions = VerifyOptions;
/** The contents of an archive. `verified` is false if its rows were not read. */
export type ListResult = VerifyResult;

/** Returns the contents of an archive by its manifest and trailer. */
function contentsOf({ manifest, trailer }: ArchiveIndex): Omit<VerifyResult, 'totals' | 'spaces'> {
  const { filtered = [], consistent, vclock } = trailer;
  return { manifest, filtered, consistent, vclock, verified: false };
}

/** Rows of no space are read. */
async function tellDefinitions(
  file: ArchiveFile,
  index: ArchiveIndex,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const { verifyFrom } = await import('./verify.js');
  const needed = wantedOf(index, () => false);
  return verifyFrom(() => indexedSource(openingBuffers(file.open), index, needed), options);
}

/**
 * Returns the contents of an archive of any size by its start and its end. An archive without a seek table, or in a
 * stream, is read and verified completely.
 *
 * @param options - with `filters` or `definitions`, all definitions are read and verified
 * @throws as `verify`
 * @example
 * const { spaces, verified } = await list('backup.tar.zst');
 */
export async function list(input: ArchiveInput, options: ListOptions = {}): Promise<ListResult> {
  checkOptions('list', options, VERIFY_OPTIONS);
  const opened = openInput(input);
  const readAll = async (): Promise<ListResult> => {
    const { verify } = await import('./verify.js');
    return verify(isFile(opened) ? opened.open(0) : opened, options);
  };
  return isFile(opened) ? listFile(opened, options, readAll) : readAll();
}

/**
 * Lists a file; see {@link list}.
 *
 * @param readAll - reads it if it has no seek table
 */
export async function listFile(
  file: ArchiveFile,
  options: ListOptions,
  readAll: () => Promise<ListResult>,
): Promise<ListResult> {
  const { report = silent, filters = [], definitions = false, signal } = options;
  const started = performance.now();
  const index = await unlessAborted(signal, () => indexOf(file, report, signal));
  signal?.throwIfAborted();
  if (index === undefined) return readAll();
  const isPlain = filters.length === 0 && !definitions;
  const read = isPlain ? index.manifest : await tellDefinitions(file, index, options);
  const counts = countsOf(index);
  const spaces = read.spaces.map((space) => ({ ...space, ...(counts.get(space.id) ?? NO_ROWS) }));
  const sum = (key: keyof Count): number => spaces.reduce((all, space) => all + space[key], 0);
  const totals = {
    spaces: spaces.length,
    rows: sum('rows'),
    bytes: sum('bytes'),
    archiveBytes: file.size,
    seconds: (performance.now() - started) / 1000,
  };
  return { ...(isPlain ? {} : read), ...contentsOf(index), spaces, totals };
}
