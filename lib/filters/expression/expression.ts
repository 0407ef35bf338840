import { messageOf, TntarError } from '../../base/errors.js';
import { quoted } from '../../base/report.js';
import type { Tuple } from '../../tuple/tuple.js';
import { type Budget, OverBudget } from './budget.js';
import { loadCel } from './cel.js';
import { Compiler } from './compile.js';
import type { Compiled } from './compiled.js';
import { Unanswered } from './numbers.js';
import { Row } from './row.js';
import { type FieldTypes, mayBe, Refusal } from './types.js';
import { typeOf } from './values.js';

/** A condition on a row. */
export type Predicate = (tuple: Tuple) => boolean;

const HINT =
  'use the Common Expression Language (CEL); write field("other name") for a name that is not an identifier';
const ROW_HINT =
  "if a field may be null, write 'FIELD != null && …'; use --filter if an expression is not enough";
const BUDGET_HINT = 'use less of a large row in the expression, or use --filter for such rows';

/** Returns a text without line breaks, for a message. */
export const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ');

/** Returns an error of the library or of this module as one line with the place. */
function refused(error: unknown, text: string, label: string): TntarError {
  const { summary, range } = error as { summary?: unknown; range?: { start: number } };
  const isOurs = error instanceof Refusal;
  const message = typeof summary === 'string' ? summary : messageOf(error);
  const at = isOurs ? error.at : range?.start;
  const rest = at === undefined ? '' : oneLine(text.slice(at).trim());
  const place = at === undefined ? '' : `, at ${rest === '' ? 'its end' : quoted(rest)}`;
  const hint = (isOurs ? error.hint : undefined) ?? HINT;
  return new TntarError('usage', `${label}: ${message}${place}`, { cause: error, hint });
}

/** Runs an expression for a row. If there is no answer, the error says why. */
function ask({ run }: Compiled, row: Row): boolean {
  try {
    const answer = run(row);
    if (typeof answer === 'boolean') return answer;
    throw new Unanswered(`the result has the type ${typeOf(answer)}, and must be true or false`);
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof OverBudget)) throw error;
    const hint = error instanceof OverBudget ? BUDGET_HINT : (error.hint ?? ROW_HINT);
    throw new TntarError('failure', error.message, { cause: error, hint });
  }
}

/**
 * Compiles an expression of the Common Expression Language. It is not run as code, and can only read the fields of
 * the row. The library parses it, and this module evaluates it: the library's evaluator rounds, decodes whole fields,
 * and does not limit loops.
 *
 * @param fields - by name
 * @param label - for messages
 * @param budget - shared by all expressions for a row; call its `begin` before each row
 * @throws TntarError of kind `usage` if the expression is refused
 * @example
 * const fields = new Map([['age', { position: 1, type: 'int' }]]);
 * const isAdult = await compileExpression('age >= 18', fields, 'users', new Budget());
 * isAdult(tuple);
 */
export async function compileExpression(
  text: string,
  fields: FieldTypes,
  label: string,
  budget: Budget,
): Promise<Predicate> {
  const { Environment } = await loadCel();
  try {
    const language = new Environment({ homogeneousAggregateLiterals: false });
    const row = new Row(budget);
    const compiler = new Compiler(fields, row, (name) => language.hasVariable(name));
    const compiled = compiler.compile(language.parse(text).ast, undefined);
    if (!mayBe(compiled.type, 'bool')) {
      throw new Refusal(`its result has the type ${compiled.type}, and must be true or false`, 0);
    }
    return (tuple) => {
      row.begin(tuple);
      return ask(compiled, row);
    };
  } catch (error) {
    throw refused(error, text, label);
  }
}
