import { decodeManifest } from '../archive/manifest-json.js';
import { type Entry, readEntries } from '../archive/reader.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  type Trailer,
} from '../archive/trailer.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import type { LargeMemory } from '../base/large-memory.js';
import { readCluster } from './cluster-stream.js';
import { shardOf, unionOf } from './cluster-union.js';
import { EntryOrder, misfit } from './entry-order.js';

/** Options of reading an archive from start to end. */
export interface StreamOptions {
  /** True if a seek table that is wrong is an error; no row depends on it. Default false. */
  isStrict?: boolean | undefined;
  /** The memory of the run, for large rows. */
  memory?: LargeMemory | undefined;
  /** The shard that is wanted of a cluster, from 1; by default all of them as one database. */
  shard?: number | undefined;
}

/**
 * Yields the items of an archive that is read from start to end, of one instance or of a cluster.
 *
 * @throws TntarError of kind `archive` for anything but a whole archive
 */
export async function* readArchive(
  input: AsyncIterable<Buffer>,
  { isStrict, memory, shard }: StreamOptions = {},
): AsyncGenerator<BackupItem> {
  const entries = readEntries(input, isStrict, memory);
  try {
    const { done, value: first } = await entries.next();
    if (done === true) throw misfit('no trailer');
    if (first.name.kind === 'cluster') {
      const items = readCluster(first, entries);
      yield* shard === undefined ? unionOf(items) : shardOf(items, shard);
    } else if (shard === undefined) yield* readInstance(first, entries);
    else {
      throw new TntarError('usage', 'the archive is of one instance: it has no shards', {
        hint: 'leave --shard away',
      });
    }
  } finally {
    await entries.return(undefined);
  }
}

/** Yields the items of an archive of one instance. */
async function* readInstance(
  first: Entry,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<BackupItem> {
  const { name, body, record } = first;
  if (name.kind === 'trailer') compareEntries([], decodeTrailer(body).entries);
  if (name.kind !== 'manifest' || name.shard !== undefined) {
    throw misfit(`the first entry is ${record.name}, not the manifest`);
  }
  const manifest = decodeManifest(body);
  yield { kind: 'start', manifest };
  const order = new EntryOrder(manifest);
  const counter = new Counter();
  const seen: EntryRecord[] = [record];
  let trailer: Trailer | undefined;
  for await (const entry of entries) {
    if (entry.name.kind === 'trailer' && entry.name.shard === undefined) {
      trailer = decodeTrailer(entry.body);
      compareEntries(seen, trailer.entries);
      continue;
    }
    seen.push(entry.record);
    const space = order.accept(entry);
    const { largest, release } = entry;
    const rows = entry.record.rows;
    const batch = { kind: 'tuples', space, count: rows, bytes: entry.body, release } as const;
    yield* counter.pass([largest === undefined ? batch : { ...batch, largest }]);
  }
  if (trailer === undefined) throw misfit('no trailer');
  const { entries: _, ...end } = trailer;
  yield { kind: 'end', ...end, counts: counter.counts };
}
