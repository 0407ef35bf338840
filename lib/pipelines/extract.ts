import { pipeline } from 'node:stream/promises';
import type { ArchiveInput } from '../archive/input.js';
import { defined } from '../base/defined.js';
import { unlessAborted } from '../base/errors.js';
import {
  aFilter,
  aSignal,
  aText,
  checkOptions,
  checkValue,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { type Filter, filterStages, wantedBy } from '../filters/filter.js';
import { compose } from '../flow/compose.js';
import { observe, type Totals } from '../flow/totals.js';
import { DIRECTORY, type DirectoryOptions, directorySink } from '../sinks/directory.js';
import { archiveOrigin, type Origin } from '../sources/origin.js';

/** Options of an extraction. */
export interface ExtractOptions extends DirectoryOptions {
  /** Filters for the backup, in their order. */
  filters?: readonly Filter[];
  /** Stops the extraction; then there is no directory. */
  signal?: AbortSignal;
}

/** The result. */
export type ExtractResult = Totals;

const KINDS: Kinds<ExtractOptions> = {
  ...DIRECTORY,
  filters: listOfEach(aFilter),
  signal: aSignal,
};

/**
 * Writes an archive as a directory of the Lua module `tarantool/dump`.
 *
 * @param path - of a new or empty directory, which is written completely or not at all
 * @throws TntarError of kind `archive`, `usage` or `failure`; the reason of `signal`; an error of the system
 * @example
 * await extract('backup.tar.zst', '/backup/dump');
 */
export async function extract(
  input: ArchiveInput,
  path: string,
  options: ExtractOptions = {},
): Promise<ExtractResult> {
  checkOptions('extract', options, KINDS);
  checkValue('extract: the path', path, aText);
  return extractFrom(archiveOrigin(input), path, options);
}

/** Writes what `begin` gives; see {@link extract}. */
export async function extractFrom(
  begin: Origin,
  path: string,
  options: ExtractOptions = {},
): Promise<ExtractResult> {
  const { report = silent, filters = [], signal, ...rest } = options;
  const totals = observe(report);
  await unlessAborted(signal, async () => {
    const items = await begin({ countBytes: totals.countBytes, wants: wantedBy(filters) });
    const sink = directorySink(path, { report, ...rest });
    const isClosed = new Promise((resolve) => sink.once('close', resolve));
    try {
      await pipeline(
        items,
        compose([...filterStages(filters, report), totals.see]),
        sink,
        defined({ signal }),
      );
    } finally {
      // only then are its files removed
      sink.destroy();
      await isClosed;
    }
  });
  return totals.sums();
}
