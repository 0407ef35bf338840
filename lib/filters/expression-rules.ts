import { listOf } from '../report.js';
import type { ASTNode } from './cel.js';
import { SURROGATE } from './expression-values.js';

/**
 * Those of CEL that are exact and end soon. Conversions and times may round; a regular expression may
 * run for longer than anybody waits.
 */
const FUNCTIONS: readonly string[] = [
  ...['all', 'contains', 'endsWith', 'exists', 'exists_one'],
  ...['field', 'has', 'size', 'startsWith'],
];
/** Their first argument is a name for each element. */
const LOOPS: readonly string[] = ['all', 'exists', 'exists_one'];

const ORDERS: readonly string[] = ['<', '<=', '>', '>='];

/** A decimal of so many digits is told from all others by a float64. */
const EXACT_DIGITS = 15;

/** Types by the names of fields; `dyn` where it is for the row to say. */
export type FieldTypes = ReadonlyMap<string, string>;

/** Why an expression cannot be had, and where in it. */
export class Refusal extends Error {
  /** @param at - characters before the place */
  constructor(
    message: string,
    readonly at: number,
    readonly hint?: string,
  ) {
    super(message);
  }
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'map':
      return node.args.flat();
    default:
      return node.args;
  }
}

function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesOf(child);
}

/** What an expression means beyond its grammar. */
export interface Reviewed {
  /** Names in it that no loop has made. */
  names: ReadonlyMap<string, ASTNode>;
  /** Whether texts may be compared of which neither is a plain one that stands in the expression. */
  ordersTexts: boolean;
}

/**
 * Looks for what would be decided on a rounded value, or otherwise than by the server.
 *
 * @throws Refusal
 */
export function review(root: ASTNode, fields: FieldTypes): Reviewed {
  return new Review(root, fields).result();
}

/** What one side of an operator surely is; `plain` is a text that has the same order everywhere. */
type Sure = 'int' | 'double' | 'bool' | 'bytes' | 'string' | 'plain' | undefined;

class Review {
  readonly #nodes: readonly ASTNode[];
  readonly #fields: FieldTypes;
  /** Names that loops give to elements. */
  readonly #elements = new Set<string>();

  constructor(root: ASTNode, fields: FieldTypes) {
    this.#nodes = [...nodesOf(root)];
    this.#fields = fields;
    for (const node of this.#nodes) {
      if (node.op !== 'rcall' || !LOOPS.includes(node.args[0])) continue;
      const [element] = node.args[2];
      if (element?.op === 'id') this.#elements.add(element.args);
    }
  }

  result(): Reviewed {
    const names = new Map<string, ASTNode>();
    let ordersTexts = false;
    for (const node of this.#nodes) {
      if (node.op === 'id' && !this.#elements.has(node.args)) names.set(node.args, node);
      this.#check(node);
      ordersTexts ||= this.#ordersTexts(node);
    }
    if (ordersTexts) for (const node of this.#nodes) refuseUnordered(node);
    return { names, ordersTexts };
  }

  #check(node: ASTNode): void {
    if (node.op === 'value') refuseInexact(node, node.args);
    else if (node.op === 'call' || node.op === 'rcall') this.#checkCall(node);
    else if (node.op === 'map') throw new Refusal('a map cannot be written here', node.start);
    else if (node.op === '/') throw new Refusal("'/' rounds", node.pos, 'multiply the other side');
    else if (node.op === '+' || node.op === '-' || node.op === '*' || node.op === '%') {
      const sides = node.args.map((side) => this.#sure(side));
      const exact: Sure[] = node.op === '+' ? ['int', 'string', 'plain', 'bytes'] : ['int'];
      if (sides.some((side) => exact.includes(side))) return;
      const message = `'${node.op}' may round here: no side of it is surely a whole number`;
      throw new Refusal(message, node.pos);
    }
  }

  #checkCall(node: ASTNode & { op: 'call' | 'rcall' }): void {
    const [name] = node.args;
    if (!FUNCTIONS.includes(name)) {
      const hint = `there are ${FUNCTIONS.join(', ')}`;
      throw new Refusal(`there is no function '${name}'`, node.pos, hint);
    }
    if (node.op !== 'call' || name !== 'field') return;
    const [argument] = node.args[1];
    const field = argument?.op === 'value' ? argument.args : undefined;
    if (typeof field === 'bigint' && field <= BigInt(Number.MAX_SAFE_INTEGER)) return;
    if (typeof field === 'string' && this.#fields.has(field)) return;
    throw typeof field === 'string'
      ? noField(field, this.#fields, node.start)
      : new Refusal('field() takes one name in quotes, or one number from 0 on', node.start);
  }

  #ordersTexts(node: ASTNode): boolean {
    if (!isOrder(node)) return false;
    return node.args.every((side) => {
      const sure = this.#sure(side);
      return sure === undefined || sure === 'string';
    });
  }

  #sure(node: ASTNode): Sure {
    switch (node.op) {
      case 'value':
        return sureOfLiteral(node.args);
      case 'id': {
        const type = this.#elements.has(node.args) ? undefined : this.#fields.get(node.args);
        return type === undefined || type === 'dyn' ? undefined : (type as Sure);
      }
      case '-_':
        return this.#sure(node.args);
      case '-':
      case '*':
      case '%':
        return 'int';
      case '+':
        return node.args.some((side) => this.#sure(side) === 'int') ? 'int' : 'string';
      case 'call':
      case 'rcall':
        return node.args[0] === 'size' ? 'int' : undefined;
      default:
        return undefined;
    }
  }
}

type Literal = (ASTNode & { op: 'value' })['args'];
type Order = ASTNode & { op: '<' | '<=' | '>' | '>=' };

const isOrder = (node: ASTNode): node is Order => ORDERS.includes(node.op);

function sureOfLiteral(value: Literal): Sure {
  if (typeof value === 'string') return /[\ud800-\uffff]/.test(value) ? 'string' : 'plain';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  return value instanceof Uint8Array ? 'bytes' : undefined;
}

/** Says which fields there are. */
export function noField(name: string, fields: FieldTypes, at: number): Refusal {
  const there = fields.size === 0 ? 'has none with a name' : `has ${listOf([...fields.keys()])}`;
  return new Refusal(`there is no field '${name}'`, at, `the format ${there}`);
}

/** Literals that are not the value that stands there. */
function refuseInexact({ start, end, input }: ASTNode, value: Literal): void {
  const text = input.slice(start, end);
  if (typeof value === 'number' && isRounded(value, text)) {
    throw new Refusal(`${text} is more exact than a double`, start, 'write whole numbers as such');
  }
  if (value instanceof Uint8Array && /[^\0-\x7f]/.test(text)) {
    throw new Refusal('bytes are written in ASCII', start, 'write \\xHH for others');
  }
  if (sureOfLiteral(value) === undefined && value !== null) {
    throw new Refusal('numbers have no suffix here', start, 'write 5 for 5u');
  }
}

/** Whether a double is whole where the number that was written is, or may be, another. */
function isRounded(value: number, text: string): boolean {
  if (!Number.isInteger(value)) return false;
  const digits = text
    .replace(/e.*/i, '')
    .replace('.', '')
    .replace(/^0+|0+$/g, '');
  if (value === 0) return digits !== '';
  return digits.length > EXACT_DIGITS || value > Number.MAX_SAFE_INTEGER;
}

function refuseUnordered(node: ASTNode): void {
  if (node.op === 'value' && typeof node.args === 'string' && SURROGATE.test(node.args)) {
    const message = 'characters beyond U+FFFF cannot stand here, for texts are ordered';
    throw new Refusal(message, node.start);
  }
}
