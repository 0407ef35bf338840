import { type Catalog, type SystemRow, spaceNames } from '../catalog/catalog.js';
import { sequenceOf, sequencesOfOnly, spaceOf } from '../catalog/ownership.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { type Existing, isUsed } from './options.js';

const named = (catalog: Catalog, spaceId: number, name: number): Set<unknown> =>
  new Set(catalog.rows(spaceId).map(({ fields }) => fields[name]));

/** The spaces of the backup that already exist on the target and are kept, with everything that belongs to them. */
export class Kept {
  readonly #spaces: ReadonlyMap<number, string>;
  readonly #names: ReadonlySet<string>;
  /** Sequences that only these spaces use, and that do not exist on the target. */
  readonly #unused: ReadonlySet<number>;
  /** Sequences that exist on the target. */
  readonly #there: ReadonlySet<number>;
  /** Sequences that fill spaces that the restore creates. */
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

  /** Returns true for a row of a system space that is left out because the target has its own. */
  covers(spaceId: number, row: SystemRow): boolean {
    const sequence = sequenceOf(spaceId, row) ?? -1;
    if (spaceId === SystemSpace.PRIV && this.#there.has(sequence)) return true;
    return this.#spaces.has(spaceOf(spaceId, row) ?? -1) || this.#unused.has(sequence);
  }

  /** @param space - an id of the backup, or a name */
  hasSpace(space: number | string): boolean {
    return typeof space === 'number' ? this.#spaces.has(space) : this.#names.has(space);
  }

  /**
   * Returns true for a sequence that fills a space that the restore creates. Its value must include the restored
   * rows.
   */
  isNeeded(sequenceId: unknown): boolean {
    return this.#needed.has(Number(sequenceId));
  }
}
