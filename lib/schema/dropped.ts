import { quoted } from '../report.js';
import { sequenceOf, spaceOf } from './belongings.js';
import type { Catalog, SystemRow } from './catalog.js';
import { isView } from './describe.js';
import { sqlOf } from './dialect.js';
import { allForeignKeys } from './foreign-keys.js';
import { functionsOf } from './rows.js';
import { identifiersOf } from './sql.js';
import { Field, SYSTEM_ID_MAX, SystemSpace } from './system.js';

const idOf = ({ fields }: SystemRow): number => Number(fields[Field.space.id]);
const nameOf = ({ fields }: SystemRow): string => String(fields[Field.space.name]);

/** What of a target goes, so that a backup can make its own in the place of it. */
export class Dropped {
  /** Rows of `_space`. */
  readonly spaces: readonly SystemRow[];
  /** Ids of sequences: those that the spaces made for themselves, and those that the backup has by name. */
  readonly sequences: ReadonlySet<number>;
  /** Ids of functions that are checks of SQL tables, and of nothing else. */
  readonly functions: ReadonlySet<number>;
  readonly #target: Catalog;
  /** Names of spaces. */
  readonly #names: ReadonlyMap<number, string>;

  constructor(backup: Catalog, target: Catalog) {
    const names = new Set(backup.spaces.map(({ name }) => name));
    this.#target = target;
    this.spaces = target
      .rows(SystemSpace.SPACE)
      .filter((row) => idOf(row) > SYSTEM_ID_MAX && names.has(nameOf(row)));
    this.#names = new Map(this.spaces.map((row) => [idOf(row), nameOf(row)]));
    this.sequences = this.#findSequences(backup);
    this.functions = this.#findChecks();
  }

  /** True for a row that goes. */
  has(spaceId: number, row: SystemRow): boolean {
    const { objectType, objectId } = Field.priv;
    const { fields } = row;
    if (spaceId === SystemSpace.FUNC) return this.functions.has(Number(fields[Field.func.id]));
    if (spaceId === SystemSpace.PRIV && fields[objectType] === 'function') {
      return this.functions.has(Number(fields[objectId]));
    }
    return (
      this.#names.has(spaceOf(spaceId, row) ?? -1) ||
      this.sequences.has(sequenceOf(spaceId, row) ?? -1)
    );
  }

  #findSequences(backup: Catalog): Set<number> {
    const { spaceId, generated } = Field.spaceSequence;
    const wanted = new Set(
      backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => fields[Field.sequence.name]),
    );
    const others = this.#usesOfOthers();
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
          return !others.has(id) && (own.has(id) || wanted.has(fields[Field.sequence.name]));
        })
        .map(({ fields }) => Number(fields[Field.sequence.id])),
    );
  }

  /** Which spaces that stay the sequences fill. */
  #usesOfOthers(): Map<number, number> {
    const { spaceId, sequenceId } = Field.spaceSequence;
    return new Map(
      this.#target
        .rows(SystemSpace.SPACE_SEQUENCE)
        .filter(({ fields }) => !this.#names.has(Number(fields[spaceId])))
        .map(({ fields }) => [Number(fields[sequenceId]), Number(fields[spaceId])]),
    );
  }

  /** SQL makes a function `check_TABLE_NAME` for each check; `DROP TABLE` takes it along, too. */
  #findChecks(): Set<number> {
    const spaces = this.#target.rows(SystemSpace.SPACE);
    const used = new Set(
      spaces.filter((row) => !this.#names.has(idOf(row))).flatMap((row) => functionsOf(row)),
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
          .filter((id) => isCheck(id, nameOf(row)))
          .map(Number),
      ),
    );
  }

  /** What keeps the spaces and sequences from being dropped, one line each. */
  holders(backup: Catalog): string[] {
    const spaces = this.#target.rows(SystemSpace.SPACE);
    const names = new Map(spaces.map((row) => [idOf(row), nameOf(row)]));
    const stuck = (what: string, name: unknown, why: string): string =>
      `${what} ${quoted(name)} cannot be dropped: ${why}`;
    const keys = allForeignKeys(this.#target).flatMap(({ name, childId, parentId }) => {
      const parent = this.#names.get(parentId);
      if (parent === undefined || this.#names.has(childId)) return [];
      const child = quoted(names.get(childId));
      return stuck('space', parent, `foreign key ${quoted(name)} of ${child} refers to it`);
    });
    const views = spaces.flatMap((row) => {
      if (!isView(row.fields) || this.#names.has(idOf(row))) return [];
      const named = identifiersOf(sqlOf(row, Field.space.flags) ?? '');
      return [...this.#names.values()]
        .filter((name) => named.has(name))
        .map((name) => stuck('space', name, `view ${quoted(nameOf(row))} names it`));
    });
    const uses = this.#usesOfOthers();
    const wanted = new Set(
      backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => fields[Field.sequence.name]),
    );
    const sequences = this.#target.rows(SystemSpace.SEQUENCE).flatMap(({ fields }) => {
      const { [Field.sequence.id]: id, [Field.sequence.name]: name } = fields;
      const user = uses.get(Number(id));
      if (user === undefined || !wanted.has(name)) return [];
      return stuck('sequence', name, `space ${quoted(names.get(user))}, which stays, uses it`);
    });
    return [...keys, ...views, ...sequences];
  }
}
