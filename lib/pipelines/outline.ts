import { type ArchiveIndex, countsOf } from '../archive/archive-file.js';
import type { ArchiveFile } from '../archive/input.js';
import { checkFile, openingBuffers } from '../archive/input.js';
import type { Count } from '../backup/item.js';
import { checkOptions } from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { indexedSource, indexOf, wantedOf } from '../sources/archive-file.js';
import type { Contents } from './inspect.js';
import { INSPECT_OPTIONS, type InspectOptions } from './inspect-options.js';

/** What a space has of which there is no entry. */
const NONE: Count = { rows: 0, bytes: 0 };

/** What the ends of an archive say. */
function contentsOf({ manifest, trailer }: ArchiveIndex): Omit<Contents, 'totals' | 'spaces'> {
  const { filtered = [], consistent, vclock } = trailer;
  return { manifest, filtered, consistent, vclock, verified: false };
}

/** Rows of no space are read. */
async function tellDefinitions(
  file: ArchiveFile,
  index: ArchiveIndex,
  options: InspectOptions,
): Promise<Contents> {
  const { inspectFrom } = await import('./inspect.js');
  const needed = wantedOf(index, () => false);
  return inspectFrom(() => indexedSource(openingBuffers(file.open), index, needed), options);
}

async function inspectWhole(file: ArchiveFile, options: InspectOptions): Promise<Contents> {
  const { inspect } = await import('./inspect.js');
  return inspect(file.open(0), options);
}

/**
 * Tells what an archive holds by what stands at its ends, however large it is. Where it has no seek table, it is
 * read and verified whole.
 *
 * @param options - for `rewrites` and `definitions` all definitions are read, and verified
 * @param readAll - reads it where there is no seek table
 * @throws as `inspect`, and TntarError of kind `usage` for a file or options that are none
 * @example
 * const { spaces, verified } = await outline({ size, open: (start) => createReadStream(path, { start }) });
 */
export async function outline(
  file: ArchiveFile,
  options: InspectOptions = {},
  readAll = () => inspectWhole(file, options),
): Promise<Contents> {
  checkOptions('outline', options, INSPECT_OPTIONS);
  checkFile(file);
  const { report = silent, rewrites = [], definitions = false, signal } = options;
  const started = performance.now();
  const index = await indexOf(file, report);
  signal?.throwIfAborted();
  if (index === undefined) return readAll();
  const isPlain = rewrites.length === 0 && !definitions;
  const read = isPlain ? index.manifest : await tellDefinitions(file, index, options);
  const counts = countsOf(index);
  const spaces = read.spaces.map((space) => ({ ...space, ...(counts.get(space.id) ?? NONE) }));
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
