import { MAX_SPACE_ID } from '../backup/space-id.js';

/**
 * Names of the entries of an archive. Anything else is refused, so no name ever becomes a path.
 */
export const MANIFEST = 'manifest.json';
export const TRAILER = 'trailer.json';

/** The meaning of an entry's name. `part` is absent if a space fits one entry. */
export type EntryName =
  | { kind: 'manifest' }
  | { kind: 'trailer' }
  | { kind: 'tuples'; spaceId: number; part?: number };

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

/** @returns undefined for any name that {@link tuplesEntry} does not make */
export function parseEntryName(name: string): EntryName | undefined {
  if (name === MANIFEST) return { kind: 'manifest' };
  if (name === TRAILER) return { kind: 'trailer' };
  const match = /^([1-9]\d{0,9})\.dump(?:\.(\d{5,7}))?$/.exec(name);
  if (match === null) return undefined;
  const spaceId = Number(match[1]);
  const part = match[2] === undefined ? undefined : Number(match[2]);
  if (spaceId > MAX_SPACE_ID || tuplesEntry(spaceId, part) !== name) return undefined;
  return part === undefined ? { kind: 'tuples', spaceId } : { kind: 'tuples', spaceId, part };
}
