import type { ASTNode } from './cel.js';
import type { Compiled, PartCompiler, Scope } from './compiled.js';
import { Unanswered } from './numbers.js';
import type { Row } from './row.js';
import { mayBe, Refusal } from './types.js';
import { type ExpressionValue, typeOf } from './values.js';

type Node<Op extends ASTNode['op']> = ASTNode & { op: Op };

/**
 * Checks the type of an operand.
 *
 * @throws Refusal for a type other than a boolean
 */
export function throwUnlessBool({ type }: Compiled, { start }: ASTNode, operator: string): void {
  if (!mayBe(type, 'bool')) {
    throw new Refusal(`'${operator}' takes true or false, not a value of type ${type}`, start);
  }
}

/**
 * Returns a boolean.
 *
 * @throws Unanswered for a value that is not a boolean
 */
export function booleanOf(value: ExpressionValue, operator: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new Unanswered(`'${operator}' takes true or false, not a value of type ${typeOf(value)}`);
}

/**
 * Searches for a deciding answer: false for `&&`, true for `||`. If there is one, missing answers do not matter.
 *
 * @example
 * const any = new Search(row, true, '||');
 * if (any.isFound(() => left.run(row))) return true;
 * return any.rest();
 */
export class Search {
  #failed: Unanswered | undefined;

  constructor(
    private readonly row: Row,
    private readonly decisive: boolean,
    private readonly operator: string,
  ) {}

  isFound({ run }: Compiled): boolean {
    try {
      return booleanOf(run(this.row), this.operator) === this.decisive;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.row.budget.spendFailure();
      this.#failed ??= error;
      return false;
    }
  }

  /**
   * Returns the answer if no deciding one was found.
   *
   * @throws Unanswered for the first missing answer
   */
  rest(): boolean {
    if (this.#failed !== undefined) throw this.#failed;
    return !this.decisive;
  }
}

export function compileNot(
  compiler: PartCompiler,
  { args, pos }: Node<'!_'>,
  scope: Scope | undefined,
): Compiled {
  const { type, size, run } = compiler.compile(args, scope);
  if (!mayBe(type, 'bool')) throw new Refusal(`no such overload: !${type}`, pos);
  return { type: 'bool', size: size + 1, run: (row) => !booleanOf(run(row), '!') };
}

export function compileChoice(
  compiler: PartCompiler,
  { args }: Node<'?:'>,
  scope: Scope | undefined,
): Compiled {
  const condition = compiler.compile(args[0], scope);
  const [yes, no] = [compiler.compile(args[1], scope), compiler.compile(args[2], scope)];
  throwUnlessBool(condition, args[0], '? :');
  return {
    type: yes.type === no.type ? yes.type : 'dyn',
    size: condition.size + yes.size + no.size + 1,
    run: (row) => (booleanOf(condition.run(row), '? :') ? yes.run(row) : no.run(row)),
  };
}

/** Compiles `a || b || c` to one part, because a long chain has a deep tree. */
export function compileChain(
  compiler: PartCompiler,
  node: Node<'&&' | '||'>,
  scope: Scope | undefined,
): Compiled {
  const { op } = node;
  const nodes: ASTNode[] = [];
  let left: ASTNode = node;
  for (; left.op === op; left = (left as typeof node).args[0]) {
    nodes.push((left as typeof node).args[1]);
  }
  nodes.push(left);
  const links = nodes.reverse().map((each) => {
    const compiled = compiler.compile(each, scope);
    throwUnlessBool(compiled, each, op);
    return compiled;
  });
  const decisive = op === '||';
  return {
    type: 'bool',
    size: links.reduce((sum, each) => sum + each.size, 1),
    run: (row) => {
      const search = new Search(row, decisive, op);
      for (const link of links) if (search.isFound(link)) return decisive;
      return search.rest();
    },
  };
}
