import { afterToken, splitOutside } from './source-scan.js';

/** Returns the source of a name: of a constant, or of the argument that a parameter gets; undefined if unknown. */
export type Lookup = (name: string) => string | undefined;

/** Names of helpers that show their argument, and say nothing else. */
const SHOWING =
  /^(?:listOf|longListOf|shorten|printable|String|shown|formatCount|formatBytes|showRelease|showSchema)\(/;
const MAX_DEPTH = 6;

const words = (name: string): string =>
  name
    .replace(/[#_$]/g, ' ')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .trim()
    .toLowerCase();

/** Methods that say nothing about what they are called on. */
const SILENT =
  /\.(?:get|map|join|length|size|keys|filter|toString|find|at|slice|toFixed|sort|name|message)$/;

function placeholder(expression: string): string {
  let place = expression.replace(/\b(?:this|await|new|String|Object)\b|[?!]/g, '');
  place = place.replace(/\(.*$/gs, '');
  while (SILENT.test(place) && /\w\.\w/.test(place)) place = place.replace(SILENT, '');
  const names = place.match(/(?<![\w$])[A-Za-z_$#][\w$]*/g);
  const name = words(names?.at(-1) ?? '');
  if (name === 'message of') return '<reason>';
  return `<${name === '' ? 'value' : name === 'where' ? 'place' : name}>`;
}

/** Returns the part between the brackets of a call that is the whole expression. */
function argumentOf(expression: string): string | undefined {
  const open = expression.indexOf('(');
  if (open < 0 || afterToken(expression, open) !== expression.length) return undefined;
  return splitOutside(expression.slice(open + 1, -1), /^,/)[0]?.trim();
}

function templateText(body: string, lookup: Lookup, depth: number): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    if (body.startsWith('${', at)) {
      const end = afterToken(body, at + 1);
      text += textOf(body.slice(at + 2, end - 1), lookup, depth + 1);
      at = end;
    } else {
      if (body[at] === '\\') at++;
      text += body[at++];
    }
  }
  return text;
}

const isWhole = (expression: string): boolean => afterToken(expression, 0) === expression.length;

/** Returns the alternatives of `condition ? one : other`. */
function alternatives(expression: string): string[] {
  const [, ...rest] = splitOutside(expression, /^\?(?![.?])/);
  if (rest.length === 0) return [];
  return splitOutside(rest.join('?'), /^:/).map((each) => splitOutside(each, /^\?/).at(-1) ?? '');
}

/** Returns the text of a literal, or of an expression in brackets; undefined for anything else. */
function literalText(expression: string, lookup: Lookup, depth: number): string | undefined {
  if (/^[\d_]+$/.test(expression)) return expression.replaceAll('_', ',');
  if (!isWhole(expression)) return undefined;
  switch (expression[0]) {
    case '`':
      return templateText(expression.slice(1, -1), lookup, depth);
    case "'":
    case '"':
      return expression.slice(1, -1).replace(/\\(.)/gs, '$1');
    case '(':
      return textOf(expression.slice(1, -1), lookup, depth + 1);
    default:
      return undefined;
  }
}

/** Returns the text of alternatives, a sum or a fallback; undefined for anything else. */
function compoundText(expression: string, lookup: Lookup, depth: number): string | undefined {
  const textFor = (part: string): string => textOf(part, lookup, depth + 1);
  const fallback = splitOutside(expression, /^\?\?/);
  const choices = fallback.length > 1 ? [] : alternatives(expression);
  if (choices.length > 1) {
    const told = [...new Set(choices.map(textFor))].filter((text) => text !== '<undefined>');
    return told.length === 1 ? told[0] : `{${told.join(' | ')}}`;
  }
  const sum = splitOutside(expression, /^\+/);
  if (sum.length > 1) return sum.map(textFor).join('');
  return fallback.length > 1 ? textFor(fallback.at(-1) ?? '') : undefined;
}

/** Returns the text of a call that shows its argument; undefined for anything else. */
function callText(expression: string, lookup: Lookup, depth: number): string | undefined {
  const argument = argumentOf(expression);
  if (argument === undefined) return undefined;
  if (expression.startsWith('quoted(')) return `'${textOf(argument, lookup, depth + 1)}'`;
  const noun = /^(?:plural|counted)\(.*?'([^']+)'/s.exec(expression)?.[1];
  if (noun !== undefined) return `<number of ${noun}s>`;
  return SHOWING.test(expression) ? textOf(argument, lookup, depth + 1) : undefined;
}

/**
 * Returns the text that an expression gives, with a placeholder such as `<name>` for each part that is known only at
 * run time. Alternatives stand in braces: `{one | other}`.
 *
 * @example textOf("`space ${quoted(name)}`", () => undefined); // "space '<name>'"
 */
export function textOf(source: string, lookup: Lookup, depth = 0): string {
  const expression = source.trim().replace(/^await\s+|\s+as const$/g, '');
  if (depth > MAX_DEPTH || expression === '') return placeholder(expression);
  const text =
    literalText(expression, lookup, depth) ??
    compoundText(expression, lookup, depth) ??
    callText(expression, lookup, depth);
  if (text !== undefined) return text;
  const known = /^[A-Za-z_$][\w$]*$/.test(expression) ? lookup(expression) : undefined;
  return known === undefined ? placeholder(expression) : textOf(known, lookup, depth + 1);
}
