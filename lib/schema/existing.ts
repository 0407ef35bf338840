import { sequenceOf, sequencesOfOnly, spaceOf } from './belongings.js';
import type { Catalog, SystemRow } from './catalog.js';
import { Field, SystemSpace } from './system.js';

/**
 * What becomes of spaces, and of sequences, that the target has already by the names of the backup's:
 *
 * - `error`: nothing is restored
 * - `skip`: they stay as they are, and what the backup has of them stays away
 * - `replace`: their definitions stay; rows go in, in the place of those that have the same key
 * - `truncate`: their definitions stay; their rows go, and those of the backup take their place
 * - `drop`: they are dropped, and made as the backup has them
 */
export type Existing = 'error' | 'skip' | 'replace' | 'truncate' | 'drop';

/** True where spaces that are there are used: what the backup says of them is not to be made. */
export function isUsed(existing: Existing): boolean {
  return existing === 'skip' || existing === 'replace' || existing === 'truncate';
}

const named = (catalog: Catalog, spaceId: number, name: number): Set<unknown> =>
  new Set(catalog.rows(spaceId).map(({ fields }) => fields[name]));

/** The spaces of the backup that the target has already and keeps, with what belongs to them. */
export class Kept {
  readonly #spaces: ReadonlySet<number>;
  /** Sequences that only these spaces use, and that the target has not. */
  readonly #sequences: ReadonlySet<number>;

  constructor(backup: Catalog, target: Catalog, existing: Existing) {
    const there = named(target, SystemSpace.SPACE, Field.space.name);
    const spaces = isUsed(existing) ? backup.spaces.filter(({ name }) => there.has(name)) : [];
    this.#spaces = new Set(spaces.map(({ id }) => id));
    const known = named(target, SystemSpace.SEQUENCE, Field.sequence.name);
    const unused = sequencesOfOnly(backup.rows(SystemSpace.SPACE_SEQUENCE), this.#spaces);
    this.#sequences = new Set(
      backup
        .rows(SystemSpace.SEQUENCE)
        .filter(({ fields }) => !known.has(fields[Field.sequence.name]))
        .map(({ fields }) => Number(fields[Field.sequence.id]))
        .filter((id) => unused.has(id)),
    );
  }

  has(spaceId: number, row: SystemRow): boolean {
    return (
      this.#spaces.has(spaceOf(spaceId, row) ?? -1) ||
      this.#sequences.has(sequenceOf(spaceId, row) ?? -1)
    );
  }
}
