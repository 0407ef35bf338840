import { MAX_SHARDS } from '../backup/cluster.js';
import { MAX_SPACE_ID } from '../backup/space-id.js';

/**
 * Names of the entries of an archive. Anything else is refused, so no name ever becomes a path.
 */
export const MANIFEST = 'manifest.json';
export const TRAILER = 'trailer.json';
/** The first entry of an archive of a cluster. */
export const CLUSTER = 'cluster.json';

/**
 * The meaning of an entry's name. `part` is absent if a space fits one entry. `shard`, from 1, is absent in an archive
 * of one instance, and for the first and the last entry of an archive of a cluster.
 */
export type EntryName = { shard?: number } & (
  | { kind: 'cluster' }
  | { kind: 'manifest' }
  | { kind: 'trailer' }
  | { kind: 'tuples'; spaceId: number; part?: number }
);

/**
 * @example
 * tuplesEntry(512);    // '512.dump'
 * tuplesEntry(512, 3); // '512.dump.00003'
 */
export function tuplesEntry(spaceId: number, part?: number): string {
  return part === undefined
    ? `${spaceId}.dump`
    : `${spaceId}.dump.${String(part).padStart(5, '0')}`;
}

/**
 * The name of an entry of a shard.
 *
 * @example
 * shardEntry(1, '512.dump'); // '0001/512.dump'
 */
export function shardEntry(shard: number, name: string): string {
  return `${String(shard).padStart(4, '0')}/${name}`;
}

/** @returns undefined for any name that {@link tuplesEntry} and {@link shardEntry} do not make */
export function parseEntryName(name: string): EntryName | undefined {
  if (name === CLUSTER) return { kind: 'cluster' };
  const match = /^(\d{4})\/(.+)$/.exec(name);
  if (match === null) return parseName(name);
  const shard = Number(match[1]);
  const entry = parseName(match[2]!);
  return entry === undefined || shard < 1 || shard > MAX_SHARDS ? undefined : { shard, ...entry };
}

function parseName(name: string): EntryName | undefined {
  if (name === MANIFEST) return { kind: 'manifest' };
  if (name === TRAILER) return { kind: 'trailer' };
  const match = /^([1-9]\d{0,9})\.dump(?:\.(\d{5,7}))?$/.exec(name);
  if (match === null) return undefined;
  const spaceId = Number(match[1]);
  const part = match[2] === undefined ? undefined : Number(match[2]);
  if (spaceId > MAX_SPACE_ID || tuplesEntry(spaceId, part) !== name) return undefined;
  return part === undefined ? { kind: 'tuples', spaceId } : { kind: 'tuples', spaceId, part };
}
