import { createHash } from 'node:crypto';

/** As many characters as a line shows of a text. */
const SHOWN = 200;
/** As many of them stand before the place where two texts begin to differ. */
const LEAD = 60;

const isLowSurrogate = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
};

/** Moves a position out of the middle of a character. */
const boundary = (text: string, at: number): number => (isLowSurrogate(text, at) ? at - 1 : at);

function part(text: string, from: number, to: number): string {
  const [start, end] = [
    boundary(text, Math.max(0, from)),
    boundary(text, Math.min(text.length, to)),
  ];
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`;
}

/**
 * Cuts two texts to what a line shows of them, around the place where they begin to differ.
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

/** As many hexadecimal digits of a hash tell two long texts apart. */
const DIGITS = 8;

/**
 * Cuts a text in the middle. What is cut out is told by a part of its hash, so that two texts stay two.
 *
 * @example cutMiddle('x'.repeat(1000)) // 100 times 'x', '…', 8 digits, '…', 100 times 'x'
 */
export function cutMiddle(text: string): string {
  if (text.length <= 2 * SHOWN) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
  const head = text.slice(0, boundary(text, SHOWN));
  return `${head}…${hash}…${text.slice(boundary(text, text.length - SHOWN))}`;
}
