import { listOf } from '../../base/report.js';

/** The type of an expression, as far as it is known before the first row. */
export type ExpressionType =
  | 'bool'
  | 'bytes'
  | 'decimal'
  | 'double'
  | 'dyn'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'string';

/** A named field; its type is `dyn` if it may be null or hold values of several types. */
export interface FieldOfRow {
  position: number;
  type: ExpressionType;
}

/** Fields by their names. */
export type FieldTypes = ReadonlyMap<string, FieldOfRow>;

/** The reason why an expression is refused before the first row, with the position. */
export class Refusal extends Error {
  /** @param at - the number of characters before the place */
  constructor(
    message: string,
    readonly at: number,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** Returns the error for an unknown field, with the known fields in the hint. */
export function noField(name: string, fields: FieldTypes, at: number): Refusal {
  const there = fields.size === 0 ? 'has none with a name' : `has ${listOf([...fields.keys()])}`;
  return new Refusal(`field '${name}' does not exist`, at, `the format ${there}`);
}

/** Returns true if a type is one of these, or may be. */
export const mayBe = (type: ExpressionType, ...wanted: readonly ExpressionType[]): boolean =>
  type === 'dyn' || wanted.includes(type);

const NUMBERS: readonly ExpressionType[] = ['int', 'double'];

/** Returns true if values of the two types may be equal. */
export function mayEqual(a: ExpressionType, b: ExpressionType): boolean {
  if (a === b || a === 'null' || b === 'null') return true;
  return mayBe(a, b) || mayBe(b, a) || (NUMBERS.includes(a) && NUMBERS.includes(b));
}

/** Returns true if values of the two types may be ordered. */
export function mayOrder(a: ExpressionType, b: ExpressionType): boolean {
  const have = (type: ExpressionType): boolean =>
    mayBe(type, 'bool', 'bytes', 'double', 'int', 'string');
  return have(a) && have(b) && mayEqual(a, b);
}

/** Returns the type of the result of an arithmetic operator; undefined if it does not accept the operands. */
export function sumOf(
  operator: string,
  a: ExpressionType,
  b: ExpressionType,
): ExpressionType | undefined {
  const sums: readonly ExpressionType[] =
    operator === '+' ? ['int', 'string', 'bytes', 'list'] : ['int'];
  const known = [a, b].find((type) => type !== 'dyn');
  if (known === undefined) return operator === '+' ? 'dyn' : 'int';
  return sums.includes(known) && mayBe(a, known) && mayBe(b, known) ? known : undefined;
}
