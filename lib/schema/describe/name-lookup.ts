import { indexBy } from '../../base/collections.js';
import type { Value } from '../../tuple/codec.js';
import type { Catalog, Space, SystemRow } from '../catalog/catalog.js';
import { isTable, rowsBy } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/** `box.space._collation` of a new server; those of languages, from 4 on, have a number only. */
const SHIPPED_COLLATIONS = ['none', 'unicode', 'unicode_ci', 'binary'] as const;

/** Looks up what definitions name by number. */
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

  /** Pairs of the keys of a field or a part: nothing where it has no collation of its own. */
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

  /** SQL, where the function is such an expression. */
  code(id: Value | undefined): string {
    const row = this.#functions.get(id ?? null);
    const isExpression = row?.fields[Field.func.language] === 'SQL_EXPR';
    return isExpression ? String(row?.fields[Field.func.body]) : `function ${this.function(id)}`;
  }

  /** @param field - of such a space, by name or from 0 */
  field(spaceId: number, field: string | number): string {
    const number = Number(field);
    const known = this.#spaces.get(spaceId)?.format[number];
    if (isTable(known) && typeof known['name'] === 'string') return known['name'];
    return Number.isInteger(number) ? String(number + 1) : String(field);
  }
}
