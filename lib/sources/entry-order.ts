import type { Entry } from '../archive/reader.js';
import type { SpaceInfo } from '../backup/batch.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { SYSTEM_ID_MAX, SYSTEM_SPACE_NAMES } from '../schema/server/system-spaces.js';

/** The error of an archive whose entries are sound, and do not fit each other. */
export function misfit(what: string): TntarError {
  return new TntarError('archive', what, {
    hint: 'the archive was not made by tntar, or was changed later',
  });
}

/** Checks that entries come in the order that docs/reference/archive-format.md asks for. */
export class EntryOrder {
  readonly #shard: number | undefined;
  readonly #spaces: ReadonlyMap<number, SpaceInfo>;
  readonly #seen = new Set<number>();
  #last: { spaceId: number; part: number | undefined } | undefined;

  /** @param shard - that the entries belong to, if they do */
  constructor(manifest: Manifest, shard?: number) {
    this.#shard = shard;
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

  /**
   * @returns the space that the entry belongs to
   * @throws TntarError of kind `archive`
   */
  accept({ name, record }: Pick<Entry, 'name' | 'record'>): SpaceInfo {
    if (name.kind !== 'tuples') throw misfit(`a second entry ${record.name}`);
    if (name.shard !== this.#shard)
      throw misfit(`entry ${record.name} is of no shard of this archive`);
    const { spaceId, part } = name;
    const space = this.#spaces.get(spaceId);
    if (space === undefined) throw misfit(`entry ${record.name}: the space is not in the manifest`);
    const last = this.#last;
    const continues = last?.spaceId === spaceId && last.part !== undefined;
    const expected = continues ? last.part! + 1 : 0;
    const starts = !this.#seen.has(spaceId) && (part === undefined || part === 0);
    if (continues ? part !== expected : !starts) {
      throw misfit(`entry ${record.name} is out of order or occurs twice`);
    }
    if (spaceId <= SYSTEM_ID_MAX && last !== undefined && last.spaceId > spaceId) {
      throw misfit(`entry ${record.name}: system spaces must come first, in ascending order`);
    }
    this.#seen.add(spaceId);
    this.#last = { spaceId, part };
    return space;
  }
}

/** @throws TntarError of kind `archive` if a source would refuse one of the entries because of its place */
export function checkOrder(
  manifest: Manifest,
  entries: readonly Pick<Entry, 'name' | 'record'>[],
): void {
  const order = new EntryOrder(manifest);
  for (const entry of entries) order.accept(entry);
}
