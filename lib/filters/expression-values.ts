import { Carried, Double, Float, Opaque } from '../tuple/carried.js';
import { Datetime } from '../tuple/datetime.js';
import { Decimal } from '../tuple/decimal.js';
import type { ExactValue } from '../tuple/exact.js';
import { Interval } from '../tuple/interval.js';
import { Uuid } from '../tuple/uuid.js';

/** What an expression calculates with: whole numbers are bigint, all other numbers float64. */
export type ExpressionValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | ExpressionValue[]
  | Map<string, ExpressionValue>;

/** Half of a character beyond U+FFFF; what has none is in one order by UTF-16 and by UTF-8. */
export const SURROGATE = /[\ud800-\udfff]/;

function nameOf(value: Carried): string {
  if (value instanceof Decimal) return 'a decimal';
  if (value instanceof Datetime) return 'a datetime';
  if (value instanceof Interval) return 'an interval';
  if (value instanceof Opaque) return `an extension of type ${value.type}`;
  return 'a text that is no UTF-8, or a map with a key that is there twice';
}

/**
 * A decoded value as an expression has it, exactly; a UUID is its text, in small letters.
 *
 * @param isOrdered - whether strings have to be such that expressions order them as the server does
 * @throws TypeError that says what it is, for what an expression has no exact value for
 * @example
 * expressionValue(5, false); // 5n
 */
export function expressionValue(value: ExactValue, isOrdered: boolean): ExpressionValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string') return textOf(value, isOrdered);
  if (value instanceof Uint8Array) return value;
  if (value instanceof Double || value instanceof Float) return value.value;
  if (value instanceof Uuid) return String(value);
  if (value instanceof Carried) throw new TypeError(nameOf(value));
  if (Array.isArray(value)) return value.map((each) => expressionValue(each, isOrdered));
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(
    pairs.map(([key, each]) => {
      if (typeof key !== 'string') throw new TypeError('a map with keys that are no strings');
      return [textOf(key, isOrdered), expressionValue(each, isOrdered)];
    }),
  );
}

function textOf(text: string, isOrdered: boolean): string {
  if (!isOrdered || !SURROGATE.test(text)) return text;
  throw new TypeError('a text with characters beyond U+FFFF, which have another order here');
}
