import { groupBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import { quoted, thereAre } from '../base/report.js';
import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { isTable } from '../schema/catalog/rows.js';
import { filterRows } from './apply.js';
import { Budget } from './expression/budget.js';
import { compileExpression, oneLine, type Predicate } from './expression/expression.js';
import type { ExpressionType, FieldTypes } from './expression/types.js';
import type { Filter } from './filter.js';
import { positions, spaceOf } from './row-filter.js';

/** A condition on the rows of a space. */
export interface Where {
  space: string;
  /** An expression of the Common Expression Language, with the names of fields as variables. */
  expression: string;
}

/**
 * Types of fields whose values other than null have one type in expressions. It is a Map, because an archive may have
 * a type `constructor`, which each object has.
 */
const TYPES: ReadonlyMap<string, ExpressionType> = new Map([
  ['unsigned', 'int'],
  ['integer', 'int'],
  ['double', 'double'],
  ['boolean', 'bool'],
  ['string', 'string'],
  ['uuid', 'string'],
  ['varbinary', 'bytes'],
]);

/**
 * Reads `SPACE: EXPRESSION`. The first colon with a blank after it separates them, so a name may have colons.
 *
 * @throws TntarError of kind `usage`
 * @example
 * parseWhere('app:users: age >= 18'); // { space: 'app:users', expression: 'age >= 18' }
 */
export function parseWhere(text: string): Where {
  const [, space, expression] = /^(.+?):\s+(.*\S)\s*$/s.exec(text) ?? [];
  if (space !== undefined && expression !== undefined) return { space, expression };
  throw new TntarError('usage', `cannot read the condition ${quoted(text)}`, {
    hint: "write 'SPACE: EXPRESSION', with a blank after the colon",
  });
}

const shown = ({ space, expression }: Where): string => quoted(oneLine(`${space}: ${expression}`));

function fieldTypes(space: Space): FieldTypes {
  const described = spaceOf(space);
  const typeAt = (i: number): ExpressionType => {
    const format = space.format[i];
    const isNullable = !isTable(format) || format['is_nullable'] === true;
    return (isNullable ? undefined : TYPES.get(described.format[i]!.type)) ?? 'dyn';
  };
  const fields = [...positions(described)];
  return new Map(fields.map(([name, position]) => [name, { position, type: typeAt(position) }]));
}

function spaceIn(catalog: Catalog, where: Where): Space {
  const space = catalog.spaces.find(({ name }) => name === where.space);
  if (space !== undefined) return space;
  const there = thereAre(catalog.spaces.map(({ name }) => name));
  const message = `where ${shown(where)}: space ${quoted(where.space)} does not exist`;
  throw new TntarError('usage', message, { hint: there });
}

/**
 * Keeps only the rows for which an expression is true; with several expressions for one space, all must be true. No
 * decision depends on a rounded value: if an expression has no exact value, the run ends with an error that has the
 * key of the row. Rows of other spaces are not read.
 *
 * @example
 * await dump(server, output, { filters: [keepWhere([parseWhere('users: age >= 18')])] });
 */
export function keepWhere(wheres: readonly Where[]): Filter {
  let predicates: ReadonlyMap<number, Predicate[]> = new Map();
  const name = `where ${wheres.map(shown).join(', ')}`;
  const budget = new Budget();
  const filter = filterRows((space, tuple) => {
    budget.begin();
    const mine = predicates.get(space.id);
    return mine === undefined || mine.every((isTrue) => isTrue(tuple)) ? tuple : null;
  }, name);
  return {
    ...filter,
    async head(head) {
      const compiled: [number, Predicate][] = [];
      for (const where of wheres) {
        const space = spaceIn(head.catalog, where);
        const label = `where ${shown(where)}`;
        const predicate = await compileExpression(
          where.expression,
          fieldTypes(space),
          label,
          budget,
        );
        compiled.push([space.id, predicate]);
      }
      const bySpace = groupBy(compiled, ([id]) => id);
      predicates = new Map([...bySpace].map(([id, pairs]) => [id, pairs.map(([, each]) => each)]));
      return filter.head(head);
    },
    rows: (batch) => (predicates.has(batch.space.id) ? filter.rows!(batch) : [batch]),
  };
}
