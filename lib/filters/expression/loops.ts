import type { ASTNode } from './cel.js';
import type { Compiled, PartCompiler, Scope } from './compiled.js';
import { booleanOf, Search, throwUnlessBool } from './logic.js';
import { Unanswered } from './numbers.js';
import type { Row } from './row.js';
import { mayBe, Refusal } from './types.js';
import { type ExpressionValue, isList, typeOf } from './values.js';

interface Loop {
  list: Compiled;
  /** The position of the element in the locals of the row. */
  slot: number;
  body: Compiled;
  /** The result of `map` for the elements for which `body` is true. */
  more: Compiled | undefined;
  name: string;
}

/** Sets each element in the locals, one after the other, and pays for the work on it. */
function* each(row: Row, { list, slot, body, more, name }: Loop): Generator<ExpressionValue, void> {
  const value = list.run(row);
  if (!isList(value)) {
    throw new Unanswered(`'${name}' takes a list, not a value of type ${typeOf(value)}`);
  }
  const steps = 1 + body.size + (more?.size ?? 0);
  for (const element of row.elements(value)) {
    row.budget.spend(steps);
    row.locals[slot] = element;
    yield element;
  }
}

const sizeOfLoop = ({ list, body, more }: Loop): number =>
  list.size + body.size + (more?.size ?? 0) + 1;

/** Compiles `exists` and `all`, which are `||` and `&&` over the elements. */
function searching(decisive: boolean): (loop: Loop) => Compiled {
  return (loop) => ({
    type: 'bool',
    size: sizeOfLoop(loop),
    run: (row) => {
      const search = new Search(row, decisive, loop.name);
      for (const _ of each(row, loop)) if (search.isFound(loop.body)) return decisive;
      return search.rest();
    },
  });
}

/** Compiles a loop that returns a list. */
function gathering(
  take: (row: Row, element: ExpressionValue, loop: Loop) => ExpressionValue | undefined,
): (loop: Loop) => Compiled {
  return (loop) => ({
    type: 'list',
    size: sizeOfLoop(loop),
    run: (row) => {
      const taken: ExpressionValue[] = [];
      for (const element of each(row, loop)) {
        const value = take(row, element, loop);
        if (value === undefined) continue;
        row.budget.spendHeld(1);
        taken.push(value);
      }
      return taken;
    },
  });
}

const LOOPS: ReadonlyMap<string, (loop: Loop) => Compiled> = new Map([
  ['exists', searching(true)],
  ['all', searching(false)],
  [
    'exists_one',
    (loop: Loop): Compiled => ({
      type: 'bool',
      size: sizeOfLoop(loop),
      run: (row) => {
        let count = 0;
        for (const _ of each(row, loop)) if (booleanOf(loop.body.run(row), loop.name)) count++;
        return count === 1;
      },
    }),
  ],
  [
    'filter',
    gathering((row, element, { body, name }) =>
      booleanOf(body.run(row), name) ? element : undefined,
    ),
  ],
  [
    'map',
    gathering((row, _, { body, more, name }) => {
      if (more === undefined) return body.run(row);
      return booleanOf(body.run(row), name) ? more.run(row) : undefined;
    }),
  ],
]);

/**
 * Compiles a call such as `list.exists(name, condition)`. The name stands for the element inside of the loop only.
 *
 * @returns undefined if it is not a loop
 */
export function compileLoop(
  compiler: PartCompiler,
  { args: [name, of, args], pos }: ASTNode & { op: 'rcall' },
  scope: Scope | undefined,
): Compiled | undefined {
  const make = LOOPS.get(name);
  const [element, first, second] = args;
  const most = name === 'map' ? 3 : 2;
  if (make === undefined || element?.op !== 'id' || first === undefined || args.length > most) {
    return undefined;
  }
  const list = compiler.compile(of, scope);
  if (!mayBe(list.type, 'list')) {
    throw new Refusal(`'${name}' takes a list, not a value of type ${list.type}`, pos);
  }
  const slot = scope === undefined ? 0 : scope.slot + 1;
  const inner: Scope = { name: element.args, slot, outer: scope };
  const body = compiler.compile(first, inner);
  const more = second === undefined ? undefined : compiler.compile(second, inner);
  if (name !== 'map' || more !== undefined) throwUnlessBool(body, first, name);
  return make({ list, slot, body, more, name });
}
