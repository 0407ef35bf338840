import { Readable } from 'node:stream';
import { type BackupItem, Counter } from '../archive/items.js';
import { decodeManifest, type Manifest } from '../archive/manifest.js';
import { type Entry, readEntries } from '../archive/reader.js';
import {
  compareEntries,
  decodeTrailer,
  type EntryRecord,
  type Trailer,
} from '../archive/trailer.js';
import { TntarError } from '../errors.js';
import { SYSTEM_ID_MAX, SYSTEM_SPACE_NAMES } from '../schema/system.js';
import type { SpaceInfo } from '../tuple/batch.js';
import { type ItemReadable, itemReadable } from './items.js';

function damaged(what: string): TntarError {
  return new TntarError('archive', what, {
    hint: 'the archive was put together wrongly, or changed',
  });
}

/** Checks that entries come in the order that FORMAT.md asks for. */
class EntryOrder {
  readonly #spaces: ReadonlyMap<number, SpaceInfo>;
  readonly #seen = new Set<number>();
  #last: { spaceId: number; part: number | undefined } | undefined;

  constructor(manifest: Manifest) {
    const system = [...SYSTEM_SPACE_NAMES].map(([id, name]): [number, SpaceInfo] => [
      id,
      { id, name, engine: 'memtx' },
    ]);
    const user = manifest.spaces.map(({ id, name, engine }): [number, SpaceInfo] => [
      id,
      { id, name, engine },
    ]);
    this.#spaces = new Map([...system, ...user]);
  }

  /** @returns the space that the entry belongs to */
  accept(entry: Entry): SpaceInfo {
    const { name, record } = entry;
    if (name.kind !== 'tuples') throw damaged(`a second entry ${record.name}`);
    const { spaceId, part } = name;
    const space = this.#spaces.get(spaceId);
    if (space === undefined) throw damaged(`entry ${record.name}: the manifest has no such space`);
    const last = this.#last;
    const continues = last?.spaceId === spaceId && last.part !== undefined;
    const expected = continues ? last.part! + 1 : 0;
    const starts = !this.#seen.has(spaceId) && (part === undefined || part === 0);
    if (continues ? part !== expected : !starts) {
      throw damaged(`entry ${record.name} is out of order or there twice`);
    }
    if (spaceId <= SYSTEM_ID_MAX && last !== undefined && last.spaceId > spaceId) {
      throw damaged(`entry ${record.name}: system spaces come first, and ascending`);
    }
    this.#seen.add(spaceId);
    this.#last = { spaceId, part };
    return space;
  }
}

async function* readBackup(input: AsyncIterable<Buffer>): AsyncGenerator<BackupItem> {
  const counter = new Counter();
  const seen: EntryRecord[] = [];
  let order: EntryOrder | undefined;
  let trailer: Trailer | undefined;
  for await (const entry of readEntries(input)) {
    const { name, body, record } = entry;
    if (name.kind === 'trailer') {
      trailer = decodeTrailer(body);
      compareEntries(seen, trailer.entries);
      if (order === undefined) throw damaged('the archive has no manifest');
      continue;
    }
    seen.push(record);
    if (order === undefined) {
      if (name.kind !== 'manifest')
        throw damaged(`the first entry is ${record.name}, not the manifest`);
      const manifest = decodeManifest(body);
      order = new EntryOrder(manifest);
      yield { kind: 'start', manifest };
      continue;
    }
    const space = order.accept(entry);
    const { release } = entry;
    yield* counter.pass([{ kind: 'tuples', space, count: record.rows, bytes: body, release }]);
  }
  if (trailer === undefined) throw damaged('no trailer');
  const { entries: _, ...end } = trailer;
  yield { kind: 'end', ...end, counts: counter.counts };
}

/**
 * What an archive holds, as a stream of items. Each batch is one verified part, of some 2 MiB; the end
 * comes only when the trailer has confirmed all of them, and nothing follows it.
 *
 * @param input - the compressed bytes, e.g. of a file. Its error is that of the source, which destroys it
 *   where nobody reads on
 * @returns a stream in object mode; its error is a TntarError of kind `archive` for anything but a whole
 *   archive
 * @example
 * for await (const item of archiveSource(createReadStream('backup.tar.zst'))) {
 *   if (item.kind === 'tuples') console.log(item.space.name, item.count);
 * }
 */
export function archiveSource(input: AsyncIterable<Buffer>): ItemReadable {
  return itemReadable(readBackup(input), () => {
    if (input instanceof Readable) input.destroy();
  });
}
