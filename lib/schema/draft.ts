import { encode, type Value } from '../tuple/codec.js';
import { joinFields } from '../tuple/fields.js';
import { str, uint } from '../tuple/msgpack.js';
import { Catalog, type SystemRow } from './catalog.js';
import { BuiltinUser, Field, SYSTEM_SPACES, SystemSpace } from './system.js';

/** Ids up to this one belong to functions that 2.x ships; the server's own upgrade goes on above. */
const LAST_SHIPPED_FUNCTION = 65;

/** What the server's upgrade writes as the dates of a function. */
const NO_DATE = '';

/** The fields of a function of language SQL_EXPR behind its name, as the server's upgrade has them. */
function rest(sql: string): Value[] {
  return [
    ...[1, 'SQL_EXPR', sql, 'function', [], 'any', 'none', 'none', true, true, true, ['LUA'], {}],
    ...['', NO_DATE, NO_DATE],
  ];
}

/** A user's rows of the system spaces while they are rewritten for another release. */
export class Draft {
  /** One line for each thing that the target will not have, or will take for something else. */
  readonly notes: string[] = [];
  readonly #rows: Map<number, SystemRow[]>;
  readonly #functionNames: Set<unknown>;
  #lastFunction: number;

  constructor(backup: Catalog) {
    this.#rows = new Map(SYSTEM_SPACES.map((id) => [id, [...backup.userRows(id)]]));
    const functions = this.rows(SystemSpace.FUNC).map(({ fields }) => fields);
    this.#functionNames = new Set(functions.map((fields) => fields[Field.func.name]));
    this.#lastFunction = functions.reduce(
      (last, fields) => Math.max(last, Number(fields[Field.func.id])),
      LAST_SHIPPED_FUNCTION,
    );
  }

  rows(spaceId: number): readonly SystemRow[] {
    return this.#rows.get(spaceId) ?? [];
  }

  replace(spaceId: number, rows: SystemRow[]): void {
    this.#rows.set(spaceId, rows);
  }

  /** Changes each row of a system space. */
  map(spaceId: number, change: (row: SystemRow) => SystemRow): void {
    this.replace(spaceId, this.rows(spaceId).map(change));
  }

  /**
   * Adds a function that is an expression in SQL.
   *
   * @param name - another one is made of it where it is taken
   * @returns its id
   */
  addExpression(name: string, sql: string): number {
    let free = name;
    while (this.#functionNames.has(free)) free += '_';
    this.#functionNames.add(free);
    const id = ++this.#lastFunction;
    const fields = [id, BuiltinUser.ADMIN, free, ...rest(sql)];
    const raw = joinFields([
      uint(id),
      uint(BuiltinUser.ADMIN),
      str(free),
      ...rest(sql).map((each) => encode(each)),
    ]);
    this.#rows.get(SystemSpace.FUNC)?.push({ raw, fields });
    return id;
  }

  /** What a space is called, for notes. */
  spaceNames(): ReadonlyMap<unknown, string> {
    return new Map(
      this.rows(SystemSpace.SPACE).map(({ fields }) => [
        fields[Field.space.id],
        String(fields[Field.space.name]),
      ]),
    );
  }

  toCatalog(): Catalog {
    const catalog = new Catalog();
    for (const [spaceId, rows] of this.#rows) {
      for (const row of rows) catalog.addRow(spaceId, row);
    }
    return catalog;
  }
}
