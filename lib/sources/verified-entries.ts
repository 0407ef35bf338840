import { Bodies } from '../archive/body-memory.js';
import { EntryReader } from '../archive/reader.js';
import type { FoundEntry, OpenFrom } from '../archive/survey.js';
import { isSameEntry } from '../archive/trailer.js';
import type { TupleBatch } from '../backup/batch.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import type { LargeMemory } from '../base/large-memory.js';
import { EntryOrder } from './entry-order.js';

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

/**
 * Reads some entries of an archive, each from its known place, and verifies each.
 *
 * @param entries - in the order of the archive, with all or none of each space
 * @param otherwise - makes the error if an entry differs from its record
 * @param memory - of the run, for large rows
 * @throws TntarError of kind `archive` in that case, and for an entry that docs/reference/archive-format.md does not allow
 */
export async function* readFound(
  open: OpenFrom,
  manifest: Manifest,
  entries: readonly FoundEntry[],
  otherwise: string,
  memory?: LargeMemory,
): AsyncGenerator<TupleBatch> {
  const bodies = new Bodies(memory);
  const order = new EntryOrder(manifest);
  for (const run of adjacent(entries)) {
    const { start } = run[0]!;
    const reader = new EntryReader(open(start), start, bodies);
    try {
      for (const found of run) {
        const entry = await reader.next();
        const { record, body, release } = entry;
        if (!isSameEntry(record, found.record) || entry.end !== found.end) {
          throw new TntarError('archive', `entry ${found.record.name} ${otherwise}`, {
            hint: 'check whether another program writes to the archive',
          });
        }
        const space = order.accept(entry);
        yield { kind: 'tuples', space, count: record.rows, bytes: body, release };
      }
    } finally {
      await reader.close();
    }
  }
}
