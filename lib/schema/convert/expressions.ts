import { groupBy } from '../../base/collections.js';
import { decode } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { editField, isTable, spaceIdOf } from '../catalog/rows.js';
import { describeObject } from '../describe/describe.js';
import type { Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { questionAbout, SqlFunctions } from '../sql/functions.js';

/** An object that is left out because the target cannot create its expression. */
export interface Unmakable {
  /** The id in the backup of the space that it belongs to; undefined for a function that no space uses. */
  spaceId?: number;
  /** A description with the reason. */
  line: string;
}

/** A backup without the SQL functions that the target cannot create. */
export interface Makable {
  backup: Catalog;
  left: Unmakable[];
  /**
   * Statements that the target can prepare, by expressions that call only functions of the target. Only the target
   * knows whether it accepts those.
   */
  questions: ReadonlyMap<string, string>;
}

const isExpression = ({ fields }: SystemRow): boolean => fields[Field.func.language] === 'SQL_EXPR';
const nameOf = ({ fields }: SystemRow): string => String(fields[Field.func.name]);
const bodyOf = ({ fields }: SystemRow): string => String(fields[Field.func.body]);

/** Returns the reasons why functions cannot be created, by their names. */
function problemsOf(
  expressions: readonly SystemRow[],
  functions: SqlFunctions,
  refused: ReadonlyMap<string, string>,
): Map<string, string> {
  const problems = new Map<string, string>();
  for (const row of expressions) {
    const problem = functions.problemOf(bodyOf(row)) ?? refused.get(bodyOf(row));
    if (problem !== undefined) problems.set(nameOf(row), problem);
  }
  if (problems.size === 0) return problems;
  const calls = expressions.flatMap((row) =>
    functions.calledBy(bodyOf(row)).map((called) => ({ called, by: nameOf(row) })),
  );
  const callers = groupBy(calls, ({ called }) => called);
  // The loop also visits the names that it adds.
  for (const name of problems.keys()) {
    for (const { by } of callers.get(name) ?? []) {
      if (!problems.has(by)) problems.set(by, `function '${name}' cannot be created`);
    }
  }
  return problems;
}

/** Removes functions from rows of `_space`. */
class Remover {
  readonly left: Unmakable[] = [];
  readonly named = new Set<number>();
  readonly #why: ReadonlyMap<number, string>;

  /** @param why - the reasons, by the ids of the functions that cannot be created */
  constructor(why: ReadonlyMap<number, string>) {
    this.#why = why;
  }

  row(row: SystemRow): SystemRow {
    const space = describeObject('space', row);
    const flagged = editField(row, Field.space.flags, (flags) => this.#options(flags, space, row));
    return editField(flagged, Field.space.format, (format) =>
      editArray(format, (field) => {
        const options = decode(field);
        const name = isTable(options) ? options['name'] : undefined;
        return this.#options(field, `field '${name}' of ${space}`, row);
      }),
    );
  }

  #options(raw: Buffer, where: string, row: SystemRow): Buffer {
    return editMap(raw, (key, value) => {
      if (key === 'default_func') return this.#kept(value, `default of ${where}`, row);
      if (key !== 'constraint') return value;
      let count = 0;
      const edited = editMap(value, (name, id) => {
        const kept = this.#kept(id, `constraint '${name}' of ${where}`, row);
        if (kept !== undefined) count++;
        return kept;
      });
      return count === 0 && edited !== value ? undefined : edited;
    });
  }

  #kept(id: Buffer, what: string, row: SystemRow): Buffer | undefined {
    const functionId = decode(id);
    const why = typeof functionId === 'number' ? this.#why.get(functionId) : undefined;
    if (why === undefined) return id;
    this.named.add(functionId as number);
    this.left.push({ spaceId: spaceIdOf(row), line: `${what}: ${why}` });
    return undefined;
  }
}

/**
 * Leaves out SQL functions that the target cannot create, with the constraints and defaults that use them. From 2.11
 * on, a server looks up the functions of an expression when the expression is created. Before, 2.x looks them up when
 * a row is written.
 *
 * Source: `sqlExprCodeTarget()` of the server's `src/box/sql/expr.c`, which `func_sql_expr_new()` calls.
 *
 * @param backup - the user's rows of its system spaces, converted for the target
 * @param refused - the errors of the target, by the texts of the expressions
 */
export function withoutUnmakable(
  backup: Catalog,
  target: Catalog,
  release: Release,
  refused: ReadonlyMap<string, string> = new Map(),
): Makable {
  const expressions = backup.userRows(SystemSpace.FUNC).filter(isExpression);
  if (expressions.length === 0) return { backup, left: [], questions: new Map() };
  const functions = new SqlFunctions(release, [target, backup]);
  const problems = problemsOf(expressions, functions, refused);
  const there = new Set(target.rows(SystemSpace.FUNC).map(nameOf));
  const questions = new Map(
    expressions
      .filter((row) => !problems.has(nameOf(row)))
      .map(bodyOf)
      .filter((body) => functions.calledBy(body).every((name) => there.has(name)))
      .map((body) => [body, questionAbout(body, release)]),
  );
  if (problems.size === 0) return { backup, left: [], questions };
  const idOf = ({ fields }: SystemRow): number => Number(fields[Field.func.id]);
  const unmade = expressions.filter((row) => problems.has(nameOf(row)));
  const reasons = unmade.map((row): [number, string] => [idOf(row), problems.get(nameOf(row))!]);
  const why = new Map(reasons);
  const remover = new Remover(why);
  const spaces = backup.userRows(SystemSpace.SPACE).map((row) => remover.row(row));
  const others = unmade
    .filter((row) => !remover.named.has(idOf(row)))
    .map((row) => ({ line: `${describeObject('function', row)}: ${why.get(idOf(row))}` }));
  const left = new Set(unmade);
  return {
    backup: Catalog.of((id) => {
      if (id === SystemSpace.SPACE) return spaces;
      const rows = backup.userRows(id);
      return id === SystemSpace.FUNC ? rows.filter((row) => !left.has(row)) : rows;
    }),
    left: [...remover.left, ...others],
    questions,
  };
}
