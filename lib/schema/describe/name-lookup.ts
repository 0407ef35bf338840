import { indexBy } from '../../base/collections.js';
import type { Value } from '../../tuple/codec.js';
import type { Catalog, Space, SystemRow } from '../catalog/catalog.js';
import { isTable, rowsBy } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/** The first collations of a new server. Those of languages, from 4 on, are shown by number. */
const SHIPPED_COLLATIONS = ['none', 'unicode', 'unicode_ci', 'binary'] as const;

/** Looks up the names of objects that definitions refer to by number. */
export class Names {
  readonly #collations: Map<Value, SystemRow>;
  readonly #functions: Map<Value, SystemRow>;
  readonly #spaces: Map<number, Space>;

  constructor(catalog: Catalog) {
    this.#collations = rowsBy(catalog.rows(SystemSpace.COLLATION), Field.collation.id);
    this.#functions = rowsBy(catalog.rows(SystemSpace.FUNC), Field.func.id);
    this.#spaces = indexBy(catalog.spaces, ({ id }) => id);
  }

  space(id: number): Space | undefined {
    return this.#spaces.get(id);
  }

  /** Returns the collation of a field or a part; an empty object if it has none. */
  collation(id: Value | undefined): { collation?: string } {
    if (typeof id !== 'number') return {};
    const row = this.#collations.get(id);
    const name = row?.fields[Field.collation.name] ?? SHIPPED_COLLATIONS[id] ?? `number ${id}`;
    return { collation: String(name) };
  }

  function(id: Value | undefined): string {
    const row = this.#functions.get(id ?? null);
    return row === undefined ? `number ${id}` : String(row.fields[Field.func.name]);
  }

  /** Returns the SQL of an expression, or the name of any other function. */
  code(id: Value | undefined): string {
    const row = this.#functions.get(id ?? null);
    const isExpression = row?.fields[Field.func.language] === 'SQL_EXPR';
    return isExpression ? String(row?.fields[Field.func.body]) : `function ${this.function(id)}`;
  }

  /**
   * Returns the name of a field; its number if it has no name.
   *
   * @param field - the name, or the number from 0
   */
  field(spaceId: number, field: string | number): string {
    const number = Number(field);
    const known = this.#spaces.get(spaceId)?.format[number];
    if (isTable(known) && typeof known['name'] === 'string') return known['name'];
    return Number.isInteger(number) ? String(number + 1) : String(field);
  }
}
