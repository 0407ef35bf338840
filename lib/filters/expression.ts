import { messageOf, TntarError } from '../errors.js';
import { quoted } from '../report.js';
import type { Tuple } from '../tuple/tuple.js';
import { type Environment, loadCel, type TypeCheckResult } from './cel.js';
import { type FieldTypes, noField, Refusal, review } from './expression-rules.js';
import { type ExpressionValue, expressionValue } from './expression-values.js';

/** What a row is asked. */
export type Predicate = (tuple: Tuple) => boolean;

/** Names in an error of the evaluator are those of the types as they are known before a row. */
const shownTypes = (message: string): string => message.replace(/\bdyn<(\w+)>/g, '$1');

const HINT =
  'it is of the Common Expression Language; other names than words are field("other name")';
const ROW_HINT =
  "where it may be null, write 'FIELD != null && …'; what no expression can say, --filter can";

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

/** The fields of one row after the other, decoded when they are asked for. */
class Row {
  tuple: Tuple | undefined;
  readonly #isOrdered: boolean;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  get(field: string | number): ExpressionValue {
    const value = this.tuple!.get(field);
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
}

/** Variables for names of fields, and `field()` for all fields. */
function declared(
  bare: Environment,
  types: FieldTypes,
  get: (field: string | number) => ExpressionValue,
): Environment {
  const environment = bare.clone();
  for (const [name, type] of types) environment.registerVariable(name, type);
  return environment
    .registerFunction('field(string): dyn', get, { async: false })
    .registerFunction('field(int): dyn', (i: bigint) => get(Number(i)), { async: false });
}

/** An expression that has been read, with what it needs of a row. */
function read(bare: Environment, text: string, fields: FieldTypes): [FieldTypes, boolean] {
  const { names, ordersTexts } = review(bare.parse(text).ast, fields);
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
  return [used, ordersTexts];
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
    const [used, ordersTexts] = read(bare, text, fields);
    const row = new Row(ordersTexts);
    const get = (field: string | number): ExpressionValue => row.get(field);
    throwUnlessBoolean(declared(bare, used, get).check(text));
    // a row of an archive may hold what its format forbids: that is found out row by row
    const names = [...used.keys()];
    const evaluate = declared(bare, new Map(names.map((name) => [name, 'dyn'])), get).parse(text);
    throwUnlessBoolean(evaluate.check());
    const context: object = Object.create(
      null,
      Object.fromEntries(names.map((name) => [name, { get: () => get(name) }])),
    );
    return (tuple) => {
      row.tuple = tuple;
      try {
        const result: unknown = evaluate(context);
        if (typeof result === 'boolean') return result;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        throw new TntarError('failure', shownTypes(error.summary), {
          cause: error,
          hint: ROW_HINT,
        });
      }
      throw new TntarError('failure', 'it is neither true nor false', { hint: ROW_HINT });
    };
  } catch (error) {
    throw refused(error, text, label);
  }
}
