import { createHash } from 'node:crypto';

/** The number of characters of a text that a line shows. */
const SHOWN = 200;
/** The number of shown characters before the first difference of two texts. */
const LEAD = 60;

const isLowSurrogate = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
};

/** Moves a position to the boundary of a character. */
const boundary = (text: string, at: number): number => (isLowSurrogate(text, at) ? at - 1 : at);

function part(text: string, from: number, to: number): string {
  const [start, end] = [
    boundary(text, Math.max(0, from)),
    boundary(text, Math.min(text.length, to)),
  ];
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`;
}

/**
 * Cuts two texts to the part that a line shows, around their first difference.
 *
 * @example
 * cutTogether(`${'x'.repeat(1000)}1`, `${'x'.repeat(1000)}2`); // '…', 60 times 'x', '1' and the same with '2'
 */
export function cutTogether(a: string, b: string): [string, string] {
  if (a.length <= SHOWN && b.length <= SHOWN) return [a, b];
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first++;
  const from = first < SHOWN - LEAD ? 0 : first - LEAD;
  return [part(a, from, from + SHOWN), part(b, from, from + SHOWN)];
}

/** The number of hexadecimal digits of a hash that distinguish two long texts. */
const DIGITS = 8;

/**
 * Cuts a text in the middle. A part of its hash replaces the middle, so that different texts stay different.
 *
 * @example cutMiddle('x'.repeat(1000)) // 100 times 'x', '…', 8 digits, '…', 100 times 'x'
 */
export function cutMiddle(text: string): string {
  if (text.length <= 2 * SHOWN) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
  const head = text.slice(0, boundary(text, SHOWN));
  return `${head}…${hash}…${text.slice(boundary(text, text.length - SHOWN))}`;
}
