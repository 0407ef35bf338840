import { type Catalog, type SystemRow, spaceNames } from '../catalog/catalog.js';
import { sequenceOf, sequencesOfOnly, spaceOf } from '../catalog/ownership.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { type Existing, isUsed } from './options.js';

const named = (catalog: Catalog, spaceId: number, name: number): Set<unknown> =>
  new Set(catalog.rows(spaceId).map(({ fields }) => fields[name]));

/** The spaces of the backup that the target has already and keeps, with what belongs to them. */
export class Kept {
  readonly #spaces: ReadonlyMap<number, string>;
  readonly #names: ReadonlySet<string>;
  /** Sequences that only these spaces use, and that the target has not. */
  readonly #unused: ReadonlySet<number>;
  /** Sequences that the target has. */
  readonly #there: ReadonlySet<number>;
  /** Sequences that fill spaces which are made. */
  readonly #needed: ReadonlySet<number>;

  constructor(backup: Catalog, target: Catalog, existing: Existing) {
    const there = named(target, SystemSpace.SPACE, Field.space.name);
    const spaces = isUsed(existing) ? backup.spaces.filter(({ name }) => there.has(name)) : [];
    this.#spaces = spaceNames(spaces);
    this.#names = new Set(this.#spaces.values());
    const { id, name } = Field.sequence;
    const known = named(target, SystemSpace.SEQUENCE, name);
    const sequences = backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => fields);
    const idsOf = (isThere: boolean): number[] =>
      sequences
        .filter((fields) => known.has(fields[name]) === isThere)
        .map((fields) => Number(fields[id]));
    this.#there = new Set(isUsed(existing) ? idsOf(true) : []);
    const uses = backup.rows(SystemSpace.SPACE_SEQUENCE);
    const unused = sequencesOfOnly(uses, new Set(this.#spaces.keys()));
    this.#unused = new Set(idsOf(false).filter((each) => unused.has(each)));
    const { spaceId, sequenceId } = Field.spaceSequence;
    this.#needed = new Set(
      uses
        .filter(({ fields }) => !this.#spaces.has(Number(fields[spaceId])))
        .map(({ fields }) => Number(fields[sequenceId])),
    );
  }

  /** True for a row of a system space that is not wanted, for the target has its own. */
  covers(spaceId: number, row: SystemRow): boolean {
    const sequence = sequenceOf(spaceId, row) ?? -1;
    if (spaceId === SystemSpace.PRIV && this.#there.has(sequence)) return true;
    return this.#spaces.has(spaceOf(spaceId, row) ?? -1) || this.#unused.has(sequence);
  }

  /** @param space - an id of the backup's, or a name */
  hasSpace(space: number | string): boolean {
    return typeof space === 'number' ? this.#spaces.has(space) : this.#names.has(space);
  }

  /** True for a sequence that fills a space which is made, and so has to be as far as its rows are. */
  isNeeded(sequenceId: unknown): boolean {
    return this.#needed.has(Number(sequenceId));
  }
}
