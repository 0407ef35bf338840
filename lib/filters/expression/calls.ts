import type { ASTNode } from './cel.js';
import type { Compiled, PartCompiler, Scope } from './compiled.js';
import { compileLoop } from './loops.js';
import { Unanswered } from './numbers.js';
import { lengthOf } from './operators.js';
import type { Row } from './row.js';
import { type ExpressionType, mayBe, Refusal } from './types.js';
import { isList, isStoredMap, typeOf } from './values.js';

type Node<Op extends ASTNode['op']> = ASTNode & { op: Op };
type Call = Node<'call' | 'rcall'>;

/**
 * Functions that are exact and finish soon. Conversions and times may round, and a regular expression may run too
 * long.
 */
const FUNCTIONS: readonly string[] = [
  ...['all', 'contains', 'endsWith', 'exists', 'exists_one', 'field'],
  ...['filter', 'has', 'map', 'size', 'startsWith'],
];

/** Compiles a call of a function. */
export function compileCall(
  compiler: PartCompiler,
  node: Call,
  scope: Scope | undefined,
): Compiled {
  const compiled =
    node.op === 'call' ? functionCall(compiler, node, scope) : methodCall(compiler, node, scope);
  if (compiled !== undefined) return compiled;
  const [name] = node.args;
  if (FUNCTIONS.includes(name)) throw new Refusal(`'${name}' cannot be called like this`, node.pos);
  const hint = `the functions are ${FUNCTIONS.join(', ')}`;
  throw new Refusal(`function '${name}' does not exist`, node.pos, hint);
}

function functionCall(
  compiler: PartCompiler,
  node: Node<'call'>,
  scope: Scope | undefined,
): Compiled | undefined {
  const [name, args] = node.args;
  const [first] = args;
  if (first === undefined || args.length > 1) return undefined;
  if (name === 'field') return compiler.field(first, node.start);
  if (name === 'has' && first.op === '.') return has(compiler, first, scope);
  return name === 'size' ? sizeOf(compiler.compile(first, scope), node) : undefined;
}

function methodCall(
  compiler: PartCompiler,
  node: Node<'rcall'>,
  scope: Scope | undefined,
): Compiled | undefined {
  const [name, of, args] = node.args;
  if (name === 'size' && args.length === 0) return sizeOf(compiler.compile(of, scope), node);
  const look = LOOKS.get(name);
  if (look === undefined || args.length !== 1) return compileLoop(compiler, node, scope);
  return lookIn([compiler.compile(of, scope), compiler.compile(args[0]!, scope)], look, node);
}

const noOverload = ({ args: [name], pos }: Call, ...types: ExpressionType[]): Refusal =>
  new Refusal(`found no matching overload for '${name}' of ${types.join(', ')}`, pos);

function has(
  compiler: PartCompiler,
  { args: [of, key] }: Node<'.'>,
  scope: Scope | undefined,
): Compiled {
  const map = compiler.compile(of, scope);
  if (!mayBe(map.type)) throw new Refusal(`a value of type ${map.type} has no members`, of.start);
  const run = (row: Row): boolean => {
    const value = map.run(row);
    if (isStoredMap(value)) return row.memberAt(value, key) !== undefined;
    typeOf(value);
    return false;
  };
  return { type: 'bool', size: map.size + 1, run };
}

/** Counts characters. Those beyond U+FFFF take two units of a string each. */
function charactersOf(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const isSecond = (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (isSecond && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

function sizeOf(of: Compiled, node: Call): Compiled {
  if (!mayBe(of.type, 'string', 'bytes', 'list')) throw noOverload(node, of.type);
  const run = (row: Row): bigint => {
    const value = of.run(row);
    if (typeof value === 'string') {
      row.budget.spendWalked(value.length);
      return BigInt(charactersOf(value));
    }
    if (value instanceof Uint8Array) return BigInt(value.length);
    if (isList(value)) return BigInt(lengthOf(value));
    if (isStoredMap(value)) return BigInt(row.sizeOf(value));
    throw new Unanswered(`found no matching overload for 'size' of ${typeOf(value)}`);
  };
  return { type: 'int', size: of.size + 1, run };
}

type Look = (text: string, part: string) => boolean;

const LOOKS: ReadonlyMap<string, Look> = new Map<string, Look>([
  ['contains', (text, part) => text.includes(part)],
  ['endsWith', (text, part) => text.endsWith(part)],
  ['startsWith', (text, part) => text.startsWith(part)],
]);

/**
 * V8 looks at this many characters at the end of a searched text to decide how far to move on. For longer texts it
 * may look at each character as many times as the text is long. Source: `kBMMaxShift` of V8's
 * `src/strings/string-search.h`.
 */
const LONG_PART = 250;

function lookIn([of, part]: readonly [Compiled, Compiled], look: Look, node: Call): Compiled {
  if (!mayBe(of.type, 'string') || !mayBe(part.type, 'string')) {
    throw noOverload(node, of.type, part.type);
  }
  const run = (row: Row): boolean => {
    const [text, wanted] = [of.run(row), part.run(row)];
    if (typeof text !== 'string' || typeof wanted !== 'string') {
      throw new Unanswered(
        `found no matching overload for '${node.args[0]}' of ${typeOf(text)}, ${typeOf(wanted)}`,
      );
    }
    row.budget.spendCompared(text.length * (wanted.length > LONG_PART ? wanted.length : 1));
    return look(text, wanted);
  };
  return { type: 'bool', size: of.size + part.size + 1, run };
}
