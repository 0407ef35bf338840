import { asBuffers } from '../archive/input.js';
import { decodeManifest } from '../archive/manifest-json.js';
import { readEntries } from '../archive/reader.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  type Trailer,
} from '../archive/trailer.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { type ItemReadable, stoppable } from '../flow/item-readable.js';
import { EntryOrder, misfit } from './entry-order.js';

/** Items of the archive that `input` is; see {@link archiveSource}. */
export async function* readArchive(
  input: AsyncIterable<Buffer>,
  isStrict = false,
): AsyncGenerator<BackupItem> {
  const counter = new Counter();
  const seen: EntryRecord[] = [];
  let order: EntryOrder | undefined;
  let trailer: Trailer | undefined;
  for await (const entry of readEntries(input, isStrict)) {
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

/**
 * What an archive holds, as a stream of items. Each batch is one verified part, of some 2 MiB; the end
 * comes only when the trailer has confirmed all of them, and nothing follows it.
 *
 * @param input - the compressed bytes, e.g. of a file. Its error is that of the source, which destroys it
 *   where nobody reads on
 * @param through - what the bytes go through first, e.g. to be counted
 * @param isStrict - whether a seek table that is there has to be right; no row depends on it
 * @returns a stream in object mode; its error is a TntarError of kind `archive` for anything but a whole
 *   archive
 * @example
 * for await (const item of archiveSource(createReadStream('backup.tar.zst'))) {
 *   if (item.kind === 'tuples') console.log(item.space.name, item.count);
 * }
 */
export function archiveSource(
  input: AsyncIterable<Uint8Array>,
  through: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (bytes) => bytes,
  isStrict = false,
): ItemReadable {
  return stoppable((signal) => readArchive(through(asBuffers(input, signal)), isStrict));
}
