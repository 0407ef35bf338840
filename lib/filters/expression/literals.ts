import type { ASTNode } from './cel.js';
import { Refusal } from './types.js';
import type { ExpressionValue } from './values.js';

/** A float64 distinguishes all decimals of this many digits. */
const EXACT_DIGITS = 15;

type Literal = ASTNode & { op: 'value' };

/**
 * Returns the value of a literal.
 *
 * @throws Refusal for a literal whose exact value cannot be held
 */
export function literalValue({ args: value, start, end, input }: Literal): ExpressionValue {
  const text = input.slice(start, end);
  if (typeof value === 'number' && isRounded(value, text)) {
    throw new Refusal(
      `a double cannot hold ${text} exactly`,
      start,
      'write whole numbers without a point',
    );
  }
  if (value instanceof Uint8Array && /[^\0-\x7f]/.test(text)) {
    throw new Refusal('bytes must be written in ASCII', start, 'write \\xHH for other bytes');
  }
  if (value === null || value instanceof Uint8Array || typeof value !== 'object') return value;
  throw new Refusal('numbers have no suffix here', start, 'write 5 for 5u');
}

/** Returns true if a double is whole and the written number is, or may be, different. */
function isRounded(value: number, text: string): boolean {
  if (!Number.isInteger(value)) return false;
  const digits = text
    .replace(/e.*/i, '')
    .replace('.', '')
    .replace(/^0+|0+$/g, '');
  if (value === 0) return digits !== '';
  return digits.length > EXACT_DIGITS || value > Number.MAX_SAFE_INTEGER;
}
