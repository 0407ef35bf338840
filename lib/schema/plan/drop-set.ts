import { quoted } from '../../base/report.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { allForeignKeys, holdingKeys } from '../catalog/foreign-keys.js';
import { functionOf, sequenceOf, spaceOf } from '../catalog/ownership.js';
import { functionsOf, spaceIdOf, spaceNameOf } from '../catalog/rows.js';
import { isView } from '../describe/describe.js';
import { Field, SYSTEM_ID_MAX, SystemSpace } from '../server/system-spaces.js';
import { sqlOf } from '../sql/dialect.js';
import { identifiersOf } from '../sql/tokens.js';

/** The objects of a target that are dropped, so that a backup can create its own. */
export class Dropped {
  /** Rows of `_space`. */
  readonly spaces: readonly SystemRow[];
  /** Ids of sequences that the spaces created, and of sequences that the backup has by name. */
  readonly sequences: ReadonlySet<number>;
  /** Ids of functions that are only used as checks of SQL tables. */
  readonly functions: ReadonlySet<number>;
  readonly #target: Catalog;
  /** Names of spaces. */
  readonly #names: ReadonlyMap<number, string>;
  /** Names of the sequences of the backup. */
  readonly #wanted: ReadonlySet<unknown>;
  /** The spaces that are kept and filled by sequences of the target, by the id of the sequence. */
  readonly #users: ReadonlyMap<number, number>;

  constructor(backup: Catalog, target: Catalog) {
    const names = new Set(backup.spaces.map(({ name }) => name));
    this.#target = target;
    this.spaces = target
      .rows(SystemSpace.SPACE)
      .filter((row) => spaceIdOf(row) > SYSTEM_ID_MAX && names.has(spaceNameOf(row)));
    this.#names = new Map(this.spaces.map((row) => [spaceIdOf(row), spaceNameOf(row)]));
    this.#wanted = new Set(
      backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => fields[Field.sequence.name]),
    );
    const { spaceId, sequenceId } = Field.spaceSequence;
    this.#users = new Map(
      target
        .rows(SystemSpace.SPACE_SEQUENCE)
        .filter(({ fields }) => !this.#names.has(Number(fields[spaceId])))
        .map(({ fields }) => [Number(fields[sequenceId]), Number(fields[spaceId])]),
    );
    this.sequences = this.#findSequences();
    this.functions = this.#findChecks();
  }

  /** Returns true for a row that is removed. */
  has(spaceId: number, row: SystemRow): boolean {
    return (
      this.#names.has(spaceOf(spaceId, row) ?? -1) ||
      this.sequences.has(sequenceOf(spaceId, row) ?? -1) ||
      this.functions.has(functionOf(spaceId, row) ?? -1)
    );
  }

  #findSequences(): Set<number> {
    const { spaceId, generated } = Field.spaceSequence;
    const own = new Set(
      this.#target
        .rows(SystemSpace.SPACE_SEQUENCE)
        .filter(({ fields }) => this.#names.has(Number(fields[spaceId])))
        .filter(({ fields }) => fields[generated] === true)
        .map(({ fields }) => Number(fields[Field.spaceSequence.sequenceId])),
    );
    return new Set(
      this.#target
        .rows(SystemSpace.SEQUENCE)
        .filter(({ fields }) => {
          const id = Number(fields[Field.sequence.id]);
          const isWanted = this.#wanted.has(fields[Field.sequence.name]);
          return !this.#users.has(id) && (own.has(id) || isWanted);
        })
        .map(({ fields }) => Number(fields[Field.sequence.id])),
    );
  }

  /**
   * Finds functions of checks. SQL creates a function `check_TABLE_NAME` for each check, and `DROP TABLE` also drops
   * it.
   */
  #findChecks(): Set<number> {
    const spaces = this.#target.rows(SystemSpace.SPACE);
    const used = new Set(
      spaces.filter((row) => !this.#names.has(spaceIdOf(row))).flatMap((row) => functionsOf(row)),
    );
    const rows = new Map(
      this.#target
        .rows(SystemSpace.FUNC)
        .map(({ fields }) => [fields[Field.func.id], fields] as const),
    );
    const isCheck = (id: unknown, table: string): boolean => {
      const fields = rows.get(id as number);
      if (fields?.[Field.func.language] !== 'SQL_EXPR' || used.has(id as number)) return false;
      return String(fields[Field.func.name]).startsWith(`check_${table}_`);
    };
    return new Set(
      this.spaces.flatMap((row) =>
        functionsOf(row)
          .filter((id) => isCheck(id, spaceNameOf(row)))
          .map(Number),
      ),
    );
  }

  /** Lists the reasons why the spaces and sequences cannot be dropped, one line each. */
  holders(): string[] {
    const spaces = this.#target.rows(SystemSpace.SPACE);
    const names = new Map(spaces.map((row) => [spaceIdOf(row), spaceNameOf(row)]));
    const stuck = (what: string, name: unknown, why: string): string =>
      `${what} ${quoted(name)} cannot be dropped: ${why}`;
    const holding = holdingKeys(allForeignKeys(this.#target), this.#names);
    const keys = holding.map(({ name, childId, parentId }) => {
      const child = quoted(names.get(childId));
      return stuck(
        'space',
        this.#names.get(parentId),
        `foreign key ${quoted(name)} of ${child} refers to it`,
      );
    });
    const views = spaces.flatMap((row) => {
      if (!isView(row.fields) || this.#names.has(spaceIdOf(row))) return [];
      const named = identifiersOf(sqlOf(row, Field.space.flags) ?? '');
      return [...this.#names.values()]
        .filter((name) => named.has(name))
        .map((name) => stuck('space', name, `view ${quoted(spaceNameOf(row))} uses it`));
    });
    const sequences = this.#target.rows(SystemSpace.SEQUENCE).flatMap(({ fields }) => {
      const { [Field.sequence.id]: id, [Field.sequence.name]: name } = fields;
      const user = this.#users.get(Number(id));
      if (user === undefined || !this.#wanted.has(name)) return [];
      return stuck('sequence', name, `space ${quoted(names.get(user))}, which is kept, uses it`);
    });
    return [...keys, ...views, ...sequences];
  }
}
