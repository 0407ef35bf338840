import { Bodies } from '../archive/bodies.js';
import { type BackupItem, Counter } from '../archive/items.js';
import { EntryReader } from '../archive/reader.js';
import type { Salvage } from '../archive/salvage.js';
import type { FoundEntry, OpenFrom } from '../archive/survey.js';
import { isSameEntry } from '../archive/trailer.js';
import { TntarError } from '../errors.js';
import { EntryOrder } from './entry-order.js';
import { type ItemReadable, itemReadable } from './items.js';

/** Entries that follow each other without a byte between them, so that one stream reads them. */
function* adjacent(entries: readonly FoundEntry[]): Generator<FoundEntry[]> {
  let run: FoundEntry[] = [];
  for (const entry of entries) {
    if (run.length > 0 && run.at(-1)!.end !== entry.start) {
      yield run;
      run = [];
    }
    run.push(entry);
  }
  if (run.length > 0) yield run;
}

async function* readSalvage(open: OpenFrom, salvage: Salvage): AsyncGenerator<BackupItem> {
  const { manifest, entries, trailer } = salvage;
  const counter = new Counter();
  const bodies = new Bodies();
  const order = new EntryOrder(manifest);
  yield { kind: 'start', manifest };
  for (const run of adjacent(entries)) {
    const { start } = run[0]!;
    const reader = new EntryReader(open(start), start, bodies);
    try {
      for (const { record } of run) {
        const entry = await reader.next();
        if (!isSameEntry(entry.record, record)) {
          throw new TntarError('archive', `entry ${record.name} is not what it was a moment ago`, {
            hint: 'does something write to the archive?',
          });
        }
        const space = order.accept(entry);
        const { body, release } = entry;
        yield* counter.pass([{ kind: 'tuples', space, count: record.rows, bytes: body, release }]);
      }
    } finally {
      await reader.close();
    }
  }
  const end = trailer ?? { vclock: manifest.vclock, consistent: false };
  const { entries: _, ...known } = { entries: [], ...end };
  yield { kind: 'end', ...known, counts: counter.counts };
}

/**
 * What is whole of a damaged archive, as a stream of items. Its manifest and its definitions are still of all
 * spaces.
 *
 * @param open - the archive that was surveyed
 * @returns a stream in object mode; its error is a TntarError of kind `archive` where the archive is another
 *   one meanwhile
 * @example
 * const salvage = salvageable(await survey(open));
 * for await (const item of salvageSource(open, salvage)) console.log(item.kind);
 */
export function salvageSource(open: OpenFrom, salvage: Salvage): ItemReadable {
  return itemReadable(readSalvage(open, salvage), () => {});
}
