import { bounded, compareNumbers, type ExpressionNumber, Ratio, Unanswered } from './numbers.js';
import type { Row } from './row.js';
import { type ExpressionValue, isList, isNumber, isStoredMap, Stored, typeOf } from './values.js';

/** The limit of nested arrays and maps for safe recursion. */
const MAX_DEPTH = 512;

const noOverload = (a: ExpressionValue, operator: string, b: ExpressionValue): Unanswered =>
  new Unanswered(`no such overload: ${typeOf(a)} ${operator} ${typeOf(b)}`);

/**
 * Returns true if two values are equal. Numbers are compared by value. Values of different types are not equal.
 *
 * @throws Unanswered for a value that expressions cannot hold exactly
 */
export function areEqual(row: Row, a: ExpressionValue, b: ExpressionValue, depth = 0): boolean {
  row.budget.spend(1);
  if (a === null || b === null) return a === b;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (typeof a === 'string' && typeof b === 'string') {
    row.budget.spendCompared(Math.min(a.length, b.length));
    return a === b;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    row.budget.spendCompared(Math.min(a.length, b.length));
    return a.length === b.length && Buffer.compare(a, b) === 0;
  }
  if (depth > MAX_DEPTH) throw new Unanswered(`values nest deeper than ${MAX_DEPTH} containers`);
  if (isList(a) && isList(b)) return areEqualLists(row, a, b, depth);
  if (isStoredMap(a) && isStoredMap(b)) return areEqualMaps(row, a, b, depth);
  return typeOf(a) === typeOf(b) && a === b;
}

type List = Stored | readonly ExpressionValue[];

export const lengthOf = (list: List): number => (list instanceof Stored ? list.count : list.length);

function areEqualLists(row: Row, a: List, b: List, depth: number): boolean {
  if (lengthOf(a) !== lengthOf(b)) return false;
  const others = row.elements(b);
  for (const each of row.elements(a)) {
    if (!areEqual(row, each, others.next().value ?? null, depth + 1)) return false;
  }
  return true;
}

function areEqualMaps(row: Row, a: Stored, b: Stored, depth: number): boolean {
  const [members, others] = [row.members(a), row.members(b)];
  if (members.size !== others.size) return false;
  for (const [key, pos] of members) {
    const other = others.get(key);
    if (other === undefined) return false;
    const [value, otherValue] = [row.read(pos, a.field), row.read(other, b.field)];
    if (!areEqual(row, value, otherValue, depth + 1)) return false;
  }
  return true;
}

/** Returns true if a list has this element, or a map has this key. */
export function isIn(row: Row, value: ExpressionValue, within: ExpressionValue): boolean {
  if (isList(within)) {
    for (const each of row.elements(within)) if (areEqual(row, value, each)) return true;
    return false;
  }
  if (!isStoredMap(within)) throw noOverload(value, 'in', within);
  if (typeof value === 'string') return row.memberAt(within, value) !== undefined;
  typeOf(value);
  throw new Unanswered(`the key of a map must be a string, not a value of type ${typeOf(value)}`);
}

/** Moves surrogates, which encode characters beyond U+FFFF, after all other units. */
function unitOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Compares two strings by their characters, which is the order of their bytes in UTF-8. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return unitOrder(x) - unitOrder(y);
  }
  return a.length - b.length;
}

/** The comparison operators that need an order. */
export const ORDERS = {
  '<': (order: number): boolean => order < 0,
  '<=': (order: number): boolean => order <= 0,
  '>': (order: number): boolean => order > 0,
  '>=': (order: number): boolean => order >= 0,
} as const;

/** Compares two values of one ordered type. */
export function isOrdered(
  row: Row,
  a: ExpressionValue,
  operator: keyof typeof ORDERS,
  b: ExpressionValue,
): boolean {
  const holds = ORDERS[operator];
  row.budget.spend(1);
  if (isNumber(a) && isNumber(b)) return holds(compareNumbers(a, b));
  if (typeof a === 'string' && typeof b === 'string') {
    row.budget.spendWalked(Math.min(a.length, b.length));
    return holds(compareTexts(a, b));
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return holds(Number(a) - Number(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    row.budget.spendCompared(Math.min(a.length, b.length));
    return holds(Buffer.compare(a, b));
  }
  throw noOverload(a, operator, b);
}

/** Arithmetic on integers of any size. */
export const ARITHMETIC = {
  '+': (a: bigint, b: bigint): bigint => a + b,
  '-': (a: bigint, b: bigint): bigint => a - b,
  '*': (a: bigint, b: bigint): bigint => a * b,
  '%': (a: bigint, b: bigint): bigint => {
    if (b === 0n) throw new Unanswered('modulo by zero');
    return a % b;
  },
} as const;

/** Computes exactly with integers; `+` also joins strings, bytes and lists. */
export function calculate(
  row: Row,
  a: ExpressionValue,
  operator: keyof typeof ARITHMETIC,
  b: ExpressionValue,
): ExpressionValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(ARITHMETIC[operator](a, b));
  if (operator !== '+') throw noOverload(a, operator, b);
  if (typeof a === 'string' && typeof b === 'string') {
    row.budget.spendHeldBytes(a.length + b.length);
    return a + b;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    row.budget.spendHeldBytes(a.length + b.length);
    return Buffer.concat([a, b]);
  }
  if (!isList(a) || !isList(b)) throw noOverload(a, operator, b);
  row.budget.spendHeld(lengthOf(a) + lengthOf(b));
  return [...row.elements(a), ...row.elements(b)];
}

/** Returns a number with the opposite sign. */
export function negated(value: ExpressionValue): ExpressionNumber {
  if (typeof value === 'bigint' || typeof value === 'number') return -value;
  if (value instanceof Ratio) return new Ratio(-value.top, value.bottom);
  throw new Unanswered(`no such overload: -${typeOf(value)}`);
}
