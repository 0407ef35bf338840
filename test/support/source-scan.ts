/** Brackets that open a group, with those that close it. */
const PAIRS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

function afterQuote(text: string, start: number): number {
  const quote = text[start];
  let at = start + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] === '\\') at += 2;
    else if (quote === '`' && text.startsWith('${', at)) at = afterToken(text, at + 1);
    else at++;
  }
  return at + 1;
}

function afterRegex(text: string, start: number): number {
  let isClass = false;
  let at = start + 1;
  while (at < text.length && (isClass || text[at] !== '/')) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') isClass = true;
    else if (text[at] === ']') isClass = false;
    at++;
  }
  return at + 1;
}

function endOf(text: string, mark: string, start: number): number {
  const end = text.indexOf(mark, start);
  return end < 0 ? text.length : end + mark.length;
}

/**
 * Returns the position after the token at `start`: a string, a template, a comment, a regular expression, a group in
 * brackets, or one character.
 *
 * @example afterToken("f('(', 1) + 2", 1); // 9
 */
export function afterToken(text: string, start: number): number {
  const first = text[start] ?? '';
  if (first === "'" || first === '"' || first === '`') return afterQuote(text, start);
  if (text.startsWith('//', start)) return endOf(text, '\n', start);
  if (text.startsWith('/*', start)) return endOf(text, '*/', start + 2);
  if (
    first === '/' &&
    /(?:^|[(,=:[!&|?{};>]|\breturn)\s*$/.test(text.slice(Math.max(0, start - 20), start))
  )
    return afterRegex(text, start);
  const close = PAIRS[first];
  if (close === undefined) return start + 1;
  let at = start + 1;
  while (at < text.length && text[at] !== close) at = afterToken(text, at);
  return at + 1;
}

/** Returns the positions of the tokens of a text that stand in no brackets. */
function* tokens(text: string): Generator<number> {
  for (let at = 0; at < text.length; at = afterToken(text, at)) yield at;
}

/**
 * Splits a text where `separator` matches outside of brackets, strings and comments.
 *
 * @example splitOutside("a, f(b, c)", /^,/); // ['a', ' f(b, c)']
 */
export function splitOutside(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let start = 0;
  for (const at of tokens(text)) {
    const found = at < start ? null : separator.exec(text.slice(at, at + 4));
    if (found === null) continue;
    parts.push(text.slice(start, at));
    start = at + found[0].length;
  }
  return [...parts, text.slice(start)];
}

/** Removes comments from a source text; strings and line breaks stay. */
export function withoutComments(text: string): string {
  let result = '';
  const copy = (from: number, to: number): void => {
    for (let at = from; at < to; ) {
      const end = PAIRS[text[at] ?? ''] === undefined ? afterToken(text, at) : at + 1;
      const token = text.slice(at, end);
      const isComment = token.startsWith('//') || token.startsWith('/*');
      result += isComment ? token.replace(/[^\n]/g, '') : token;
      at = end;
    }
  };
  copy(0, text.length);
  return result;
}

/** A call in a source text. */
export interface Call {
  /** The position of the name that is called. */
  at: number;
  arguments: readonly string[];
}

/**
 * Returns the calls of a function or a constructor in a text without comments.
 *
 * @param name - a regular expression, without groups
 *
 * @example callsOf("warn('a', 1)", 'warn'); // [{ at: 0, arguments: ["'a'", '1'] }]
 */
export function callsOf(text: string, name: string): Call[] {
  const calls: Call[] = [];
  for (const found of text.matchAll(new RegExp(`(?<![\\w$'])${name}\\(`, 'g'))) {
    const { index } = found;
    if (/function\*?\s+$/.test(text.slice(Math.max(0, index - 20), index))) continue;
    const open = index + found[0].length - 1;
    const inner = text.slice(open + 1, afterToken(text, open) - 1);
    const parts = splitOutside(inner, /^,/).map((part) => part.trim());
    if (parts.at(-1) === '') parts.pop();
    calls.push({ at: index, arguments: parts });
  }
  return calls;
}
