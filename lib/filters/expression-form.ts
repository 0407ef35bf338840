import { TntarError } from '../errors.js';
import type { ASTNode } from './cel.js';
import type { ExpressionValue } from './expression-values.js';

/** Macros of CEL that go through an array; their first argument is a name for each element. */
export const LOOPS: readonly string[] = ['all', 'exists', 'exists_one'];

/**
 * Steps of loops that one row may take: a second or less, in which nobody is heard. An array of a thousand
 * elements may be compared with itself.
 */
const MAX_STEPS = 1_000_000;
/** The same in CPU time: one step may look through an array, or a long text. */
const MAX_CPU_MICROSECONDS = 2_000_000;
/** The CPU time is looked at after so many steps. */
const STEPS_A_LOOK = 64;

/** Results of arithmetic have so many bits at most. */
const MAX_BITS = 4096n;
const LARGEST = 1n << MAX_BITS;

/** What loops take of one row, which somebody else may have made long. */
export class Budget {
  #steps = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };
  #isSpent = false;

  /** Begins with the next row. */
  start(): void {
    this.#steps = 0;
    this.#isSpent = false;
  }

  /** @throws TntarError after too many steps */
  readonly step = (): boolean => {
    if (this.#steps === 0) this.#cpu = process.cpuUsage();
    this.#steps++;
    if (this.#steps > MAX_STEPS) this.#isSpent = true;
    else if (this.#steps % STEPS_A_LOOK === 0) {
      const { user, system } = process.cpuUsage(this.#cpu);
      if (user + system > MAX_CPU_MICROSECONDS) this.#isSpent = true;
    }
    this.check();
    return true;
  };

  /**
   * To be called after an evaluation, too: a loop passes over an error of one element if another one decides.
   *
   * @throws TntarError
   */
  check(): void {
    if (!this.#isSpent) return;
    const message = `its loops take more than ${MAX_STEPS} steps, or than ${MAX_CPU_MICROSECONDS / 1e6} s`;
    throw new TntarError('failure', message, {
      hint: 'do not put loops over long arrays into each other, or write a --filter',
    });
  }
}

const ROW_HINT =
  "where it may be null, write 'FIELD != null && …'; what no expression can say, --filter can";

/** The error of a row for which an expression has no answer. */
export function unanswered(message: string, cause?: unknown): TntarError {
  return new TntarError('failure', message, { cause, hint: ROW_HINT });
}

const typeName = (value: ExpressionValue): string => {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (value === null || typeof value === 'string') return value === null ? 'null' : 'string';
  if (value instanceof Uint8Array) return 'bytes';
  return Array.isArray(value) ? 'list' : 'map';
};

function calculate(operator: '+' | '-' | '*', a: bigint, b: bigint): bigint {
  const result = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
  if (result < LARGEST && result > -LARGEST) return result;
  throw unanswered(`a number of more than ${MAX_BITS} bits`);
}

/**
 * Calculates exactly, also where a sum leaves the integers of 64 bits on its way.
 *
 * @throws TntarError for what is beyond all use, and for values that have no such sum
 * @example
 * arithmetic('+', 2n ** 64n - 1n, 1n); // 2n ** 64n
 */
export function arithmetic(
  operator: '+' | '-' | '*',
  a: ExpressionValue,
  b: ExpressionValue,
): ExpressionValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return calculate(operator, a, b);
  if (operator === '+') {
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.concat([a, b]);
  }
  throw unanswered(`no such overload: ${typeName(a)} ${operator} ${typeName(b)}`);
}

/** Functions of the evaluated form, which no expression of a user can name. */
export const SUMS = { '+': 'plus', '-': 'minus', '*': 'times' } as const;
export const STEP = 'step';

const list = (nodes: readonly ASTNode[]): string => nodes.map(form).join(', ');

/**
 * An expression that was read and reviewed, as text that means the same, but for sums, which do not
 * overflow, and loops, each step of which is counted.
 */
export function form(node: ASTNode): string {
  switch (node.op) {
    case 'value':
    case 'id':
      return node.input.slice(node.start, node.end);
    case 'call':
      return `${node.args[0]}(${list(node.args[1])})`;
    case 'rcall': {
      const [name, receiver, args] = node.args;
      const [element, condition, ...more] = args;
      if (!LOOPS.includes(name) || element === undefined || condition === undefined) {
        return `(${form(receiver)}).${name}(${list(args)})`;
      }
      const counted = `${STEP}() ? (${form(condition)}) : false`;
      return `(${form(receiver)}).${name}(${[form(element), counted, ...more.map(form)].join(', ')})`;
    }
    case '.':
    case '.?':
      return `(${form(node.args[0])})${node.op}${node.args[1]}`;
    case '[]':
    case '[?]':
      return `(${form(node.args[0])})${node.op === '[]' ? '[' : '[?'}${form(node.args[1])}]`;
    case '!_':
    case '-_':
      return `${node.op[0]}(${form(node.args)})`;
    case 'list':
      return `[${list(node.args)}]`;
    case 'map':
      return `{${node.args.map(([key, value]) => `${form(key)}: ${form(value)}`).join(', ')}}`;
    case '?:':
      return `(${form(node.args[0])}) ? (${form(node.args[1])}) : (${form(node.args[2])})`;
    case '+':
    case '-':
    case '*':
      return `${SUMS[node.op]}(${form(node.args[0])}, ${form(node.args[1])})`;
    default:
      return `(${form(node.args[0])}) ${node.op} (${form(node.args[1])})`;
  }
}
