import { decodeManifest } from '../archive/manifest-json.js';
import { readEntries } from '../archive/reader.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  type Trailer,
} from '../archive/trailer.js';
import { type BackupItem, Counter } from '../backup/item.js';
import type { LargeMemory } from '../base/large-memory.js';
import { EntryOrder, misfit } from './entry-order.js';

/**
 * Yields the items of an archive that is read front to back.
 *
 * @param isStrict - true if a seek table that is wrong is an error; no row depends on it
 * @param memory - of the run, for large rows
 */
export async function* readArchive(
  input: AsyncIterable<Buffer>,
  isStrict = false,
  memory?: LargeMemory,
): AsyncGenerator<BackupItem> {
  const counter = new Counter();
  const seen: EntryRecord[] = [];
  let order: EntryOrder | undefined;
  let trailer: Trailer | undefined;
  for await (const entry of readEntries(input, isStrict, memory)) {
    const { name, body, record } = entry;
    if (name.kind === 'trailer') {
      trailer = decodeTrailer(body);
      compareEntries(seen, trailer.entries);
      if (order === undefined) throw misfit('the archive has no manifest');
      continue;
    }
    seen.push(record);
    if (order === undefined) {
      if (name.kind !== 'manifest')
        throw misfit(`the first entry is ${record.name}, not the manifest`);
      const manifest = decodeManifest(body);
      order = new EntryOrder(manifest);
      yield { kind: 'start', manifest };
      continue;
    }
    const space = order.accept(entry);
    const { largest, release } = entry;
    const batch = { kind: 'tuples', space, count: record.rows, bytes: body, release } as const;
    yield* counter.pass([largest === undefined ? batch : { ...batch, largest }]);
  }
  if (trailer === undefined) throw misfit('no trailer');
  const { entries: _, ...end } = trailer;
  yield { kind: 'end', ...end, counts: counter.counts };
}
