import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveInput } from '../archive/input.js';
import type { BackupItem } from '../backup/item.js';
import { defined } from '../base/defined.js';
import { unlessAborted } from '../base/errors.js';
import {
  aSignal,
  aText,
  aWritable,
  checkOptions,
  checkValue,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { onAbort } from '../base/signals.js';
import { type Filter, filterStages } from '../filters/filter.js';
import { keepWhere } from '../filters/where.js';
import { compose } from '../flow/compose.js';
import { observe } from '../flow/totals.js';
import { TEXT, type TextOptions, TextSink } from '../sinks/text.js';
import { archiveOrigin, type Origin } from '../sources/origin.js';

/** Which rows are written, and how. */
export interface CatOptions extends TextOptions {
  /** Only rows for which all of these expressions are true, see {@link keepWhere}. */
  where?: readonly string[];
  /** Stops reading. */
  signal?: AbortSignal;
}

/** The result. */
export interface CatResult {
  rows: number;
  /** The number of bytes of text. */
  bytes: number;
  /** False if the reading stopped early because of a limit: the rest was not verified. */
  isVerified: boolean;
  seconds: number;
}

/** Yields `items` until there are enough rows. */
async function* until(
  items: AsyncIterable<BackupItem>,
  hasEnough: () => boolean,
  onEnd: () => void,
): AsyncGenerator<BackupItem> {
  for await (const item of items) {
    yield item;
    if (item.kind === 'end') onEnd();
    else if (item.kind === 'tuples' && hasEnough()) return;
  }
}

const KINDS: Kinds<CatOptions> = { ...TEXT, where: listOfEach(aText), signal: aSignal };

/**
 * Writes the rows of one space into `output`, which is ended. Rows are written while the archive is read: of a damaged
 * archive, the rows before the damage are written before the call rejects.
 *
 * @throws TntarError: of kind `usage` for a space or a field that does not exist, of kind `archive` for
 *   anything but a whole archive, of kind `failure` for a row that the format cannot hold; the reason
 *   of `signal`; the error of `output`
 * @example
 * await cat('backup.tar.zst', createWriteStream('users.csv'), { space: 'users', format: 'csv' });
 */
export async function cat(
  input: ArchiveInput,
  output: Writable,
  options: CatOptions,
): Promise<CatResult> {
  return catFrom(archiveOrigin(input), output, options);
}

/** Writes the rows that `begin` gives; see {@link cat}. */
export async function catFrom(
  begin: Origin,
  output: Writable,
  options: CatOptions,
): Promise<CatResult> {
  checkOptions('cat', options, KINDS);
  checkValue('cat: the output', output, aWritable);
  const { space, where = [], report = silent, signal } = options;
  const filters: Filter[] =
    where.length === 0 ? [] : [keepWhere(where.map((expression) => ({ space, expression })))];
  const sink = new TextSink(options);
  const totals = observe(report);
  let isVerified = false;
  let bytes = 0;
  await unlessAborted(signal, async () => {
    const source = await begin({
      countBytes: totals.countBytes,
      wants: (name) => name === space,
    });
    // it stands before the pipeline, which would wait for it
    const release = onAbort(signal, () => source.destroy());
    const items = until(
      source,
      () => sink.hasEnough,
      () => {
        isVerified = true;
      },
    );
    await pipeline(
      // a source that ends early would be an error of the pipeline, but it is intended here
      Readable.from(items, { objectMode: true, highWaterMark: 1 }),
      compose([totals.see, ...filterStages(filters, report)]),
      sink,
      async function* count(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          yield chunk;
        }
      },
      output,
      defined({ signal }),
    ).finally(release);
  });
  return { rows: sink.rows, bytes, isVerified, seconds: totals.sums().seconds };
}
