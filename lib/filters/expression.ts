import { messageOf, TntarError } from '../errors.js';
import { quoted } from '../report.js';
import type { ExactValue } from '../tuple/exact.js';
import type { Tuple } from '../tuple/tuple.js';
import { type Environment, loadCel, type TypeCheckResult } from './cel.js';
import { arithmetic, Budget, form, STEP, SUMS, unanswered } from './expression-form.js';
import { type FieldTypes, noField, Refusal, review } from './expression-rules.js';
import { type ExpressionValue, expressionValue } from './expression-values.js';

/** What a row is asked. */
export type Predicate = (tuple: Tuple) => boolean;

/** Names in an error of the evaluator are those of the types as they are known before a row. */
const shownTypes = (message: string): string => message.replace(/\bdyn<(\w+)>/g, '$1');

const HINT =
  'it is of the Common Expression Language; other names than words are field("other name")';

/** A text that may hold line breaks, for a message. */
export const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ');

/** An error of the library, or of ours, as one line that shows the place. */
function refused(error: unknown, text: string, label: string): TntarError {
  const { summary, range } = error as { summary?: unknown; range?: { start: number } };
  const isOurs = error instanceof Refusal;
  const message = typeof summary === 'string' ? summary : messageOf(error);
  const at = isOurs ? error.at : range?.start;
  const rest = at === undefined ? '' : oneLine(text.slice(at).trim());
  const place = at === undefined ? '' : `, at ${rest === '' ? 'its end' : quoted(rest)}`;
  const hint = (isOurs ? error.hint : undefined) ?? HINT;
  return new TntarError('usage', `${label}: ${shownTypes(message)}${place}`, {
    cause: error,
    hint,
  });
}

/** The fields of one row after the other, each decoded once, when it is asked for. */
class Row {
  #tuple: Tuple | undefined;
  readonly #values = new Map<string | number, ExpressionValue>();
  readonly #isOrdered: boolean;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  set(tuple: Tuple): void {
    this.#tuple = tuple;
    this.#values.clear();
  }

  readonly get = (field: string | number): ExpressionValue => {
    const known = this.#values.get(field);
    if (known !== undefined) return known;
    const value = this.#read(field);
    this.#values.set(field, value);
    return value;
  };

  #read(field: string | number): ExpressionValue {
    const value = this.#decoded(field);
    if (value === undefined) return null;
    try {
      return expressionValue(value, this.#isOrdered);
    } catch (error) {
      const name = typeof field === 'number' ? field : quoted(field);
      throw new TntarError('failure', `field ${name} holds ${messageOf(error)}`, {
        cause: error,
        hint: 'an expression has no exact value for it; write a --filter',
      });
    }
  }

  #decoded(field: string | number): ExactValue | undefined {
    try {
      return this.#tuple!.get(field);
    } catch (error) {
      const hint = 'no expression can be about it; a --filter can read its bytes by tuple.field()';
      throw new TntarError('failure', messageOf(error), { cause: error, hint });
    }
  }
}

/** The limits of the library, for text that has more parentheses than the user wrote. */
const EXACT_LIMITS = { maxAstNodes: 400_000, maxDepth: 1000 };

/** Variables for names of fields, and `field()` for all fields. */
function declared(
  bare: Environment,
  types: FieldTypes,
  get: (field: string | number) => ExpressionValue,
): Environment {
  const environment = bare.clone();
  for (const [name, type] of types) environment.registerVariable(name, type);
  return environment
    .registerOperator('int == double', (a: bigint, b: number) => equals(a, b))
    .registerFunction('field(string): dyn', get, { async: false })
    .registerFunction('field(int): dyn', (i: bigint) => get(Number(i)), { async: false });
}

/** The language compares an integer with a double in some places only; JavaScript does it exactly. */
const equals = (a: bigint | number, b: bigint | number): boolean => a >= b && a <= b;

/** For the check before the first row: types of elements that may be compared with each other. */
function withListsOfNumbers(environment: Environment): Environment {
  const never = (): boolean => false;
  return environment
    .registerOperator('double in list<int>', never)
    .registerOperator('int in list<double>', never)
    .registerOperator('list<int> == list<double>', never);
}

/** The functions that {@link form} writes. */
function withExactSums(environment: Environment, budget: Budget): Environment {
  for (const [operator, name] of Object.entries(SUMS)) {
    environment.registerFunction(
      `${name}(dyn, dyn): dyn`,
      (a: ExpressionValue, b: ExpressionValue) => arithmetic(operator as keyof typeof SUMS, a, b),
      { async: false },
    );
  }
  return environment.registerFunction(`${STEP}(): bool`, budget.step, { async: false });
}

/** An expression that has been read, with what it needs of a row. */
function read(
  bare: Environment,
  text: string,
  fields: FieldTypes,
): { used: FieldTypes; ordersTexts: boolean; exact: string } {
  const { ast } = bare.parse(text);
  const { names, ordersTexts } = review(ast, fields);
  const used = new Map<string, string>();
  for (const [name, { start }] of names) {
    const type = fields.get(name);
    const isWord = bare.hasVariable(name);
    if (type === undefined && !isWord) throw noField(name, fields, start);
    if (type !== undefined && isWord) {
      const message = `'${name}' is a word of the language`;
      throw new Refusal(message, start, `write field("${name}")`);
    }
    if (type !== undefined) used.set(name, type);
  }
  return { used, ordersTexts, exact: form(ast) };
}

function throwUnlessBoolean({ valid, type, error }: TypeCheckResult): void {
  if (!valid) throw error;
  if (type !== 'bool' && type !== 'dyn') {
    throw new Refusal(`it is neither true nor false, but a value of type ${type}`, 0);
  }
}

/**
 * Reads an expression of the Common Expression Language. It is not run as code, cannot reach anything
 * but the fields of the row, and how long it may be is limited by the library.
 *
 * @param fields - `dyn` for those that may be null, or hold values of several types
 * @param label - for messages
 * @throws TntarError of kind `usage`, where the expression cannot be had
 * @example
 * const isAdult = await compileExpression('age >= 18', new Map([['age', 'int']]), 'users');
 * isAdult(tuple);
 */
export async function compileExpression(
  text: string,
  fields: FieldTypes,
  label: string,
): Promise<Predicate> {
  const { Environment, EvaluationError } = await loadCel();
  try {
    const bare = new Environment({ homogeneousAggregateLiterals: false });
    const { used, ordersTexts, exact } = read(bare, text, fields);
    const row = new Row(ordersTexts);
    const { get } = row;
    throwUnlessBoolean(withListsOfNumbers(declared(bare, used, get)).check(text));
    // a row of an archive may hold what its format forbids: that is found out row by row
    const names = [...used.keys()];
    const unknown = new Map(names.map((name) => [name, 'dyn']));
    throwUnlessBoolean(declared(bare, unknown, get).check(text));
    const budget = new Budget();
    const roomy = bare.clone({ limits: EXACT_LIMITS });
    const evaluate = withExactSums(declared(roomy, unknown, get), budget).parse(exact);
    throwUnlessBoolean(evaluate.check());
    const context: object = Object.create(
      null,
      Object.fromEntries(names.map((name) => [name, { get: () => get(name) }])),
    );
    return (tuple) => {
      row.set(tuple);
      budget.start();
      try {
        const result: unknown = evaluate(context);
        budget.check();
        if (typeof result === 'boolean') return result;
      } catch (error) {
        budget.check();
        if (!(error instanceof EvaluationError)) throw error;
        throw unanswered(shownTypes(error.summary), error);
      }
      throw unanswered('it is neither true nor false');
    };
  } catch (error) {
    throw refused(error, text, label);
  }
}
