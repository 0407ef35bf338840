import { compileCall } from './calls.js';
import type { ASTNode } from './cel.js';
import type { Compiled, Scope } from './compiled.js';
import { literalValue } from './literals.js';
import { compileChain, compileChoice, compileNot } from './logic.js';
import { Unanswered } from './numbers.js';
import {
  type ARITHMETIC,
  areEqual,
  calculate,
  isIn,
  isOrdered,
  negated,
  type ORDERS,
} from './operators.js';
import type { Row } from './row.js';
import {
  type ExpressionType,
  type FieldTypes,
  mayBe,
  mayEqual,
  mayOrder,
  noField,
  Refusal,
  sumOf,
} from './types.js';
import { type ExpressionValue, isList, isStoredMap, Stored, typeOf } from './values.js';

/** The limit of nested parts of an expression. A chain of `&&` or `||` counts as one. */
const MAX_DEPTH = 500;

type Node<Op extends ASTNode['op']> = ASTNode & { op: Op };

/** Compiles each part of an expression to a function, and finds its type. */
export class Compiler {
  #depth = 0;

  /**
   * @param row - the row that the compiled functions read; the compiler tells it the fields that they use
   * @param isWord - returns true for the reserved words of the language
   */
  constructor(
    private readonly fields: FieldTypes,
    private readonly row: Row,
    private readonly isWord: (name: string) => boolean,
  ) {}

  /**
   * Compiles one part.
   *
   * @throws Refusal for an operation that may round, and for types that do not match
   */
  compile(node: ASTNode, scope: Scope | undefined): Compiled {
    if (++this.#depth > MAX_DEPTH) {
      const hint = "write 'id in [1, 2]' for 'id == 1 || id == 2', or write a --filter";
      throw new Refusal(`the expression nests deeper than ${MAX_DEPTH} parts`, node.start, hint);
    }
    const compiled = this.#part(node, scope);
    this.#depth--;
    return compiled;
  }

  #part(node: ASTNode, scope: Scope | undefined): Compiled {
    switch (node.op) {
      case 'value': {
        const value = literalValue(node);
        return { type: typeOf(value), size: 1, run: () => value };
      }
      case 'id':
        return this.#name(node, scope);
      case '.':
        return this.#member(node, scope);
      case '[]':
        return this.#element(node, scope);
      case 'call':
      case 'rcall':
        return compileCall(this, node, scope);
      case 'list':
        return this.#list(node, scope);
      case '!_':
        return compileNot(this, node, scope);
      case '-_':
        return this.#minus(node, scope);
      case '?:':
        return compileChoice(this, node, scope);
      case '&&':
      case '||':
        return compileChain(this, node, scope);
      case '==':
      case '!=':
        return this.#equality(node, scope);
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#order(node, scope);
      case 'in':
        return this.#membership(node, scope);
      case '+':
      case '-':
      case '*':
      case '%':
        return this.#sum(node, scope);
      case '/':
        throw new Refusal("'/' would round", node.pos, 'multiply the other side');
      case 'map':
        throw new Refusal('a map cannot be written here', node.start);
      default:
        throw new Refusal(`'${node.op}' cannot be used here`, node.pos);
    }
  }

  #name({ args: name, start }: Node<'id'>, scope: Scope | undefined): Compiled {
    for (let each = scope; each !== undefined; each = each.outer) {
      const { slot } = each;
      if (each.name === name) return { type: 'dyn', size: 1, run: (row) => row.locals[slot]! };
    }
    const field = this.fields.get(name);
    if (field === undefined) throw noField(name, this.fields, start);
    if (this.isWord(name)) {
      const message = `'${name}' is a reserved word`;
      throw new Refusal(message, start, `write field("${name}")`);
    }
    return { ...this.fieldAt(field.position, `'${name}'`), type: field.type };
  }

  /** Compiles `field(…)`. */
  field(argument: ASTNode | undefined, at: number): Compiled {
    const field = argument?.op === 'value' ? argument.args : undefined;
    if (typeof field === 'bigint' && field <= BigInt(Number.MAX_SAFE_INTEGER)) {
      return this.fieldAt(Number(field), String(field));
    }
    if (typeof field !== 'string') {
      throw new Refusal('field() takes one name in quotes, or one number from 0', at);
    }
    const position = this.fields.get(field)?.position;
    if (position === undefined) throw noField(field, this.fields, at);
    return this.fieldAt(position, `'${field}'`);
  }

  private fieldAt(position: number, shown: string): Compiled {
    this.row.use(position, shown);
    return {
      type: 'dyn',
      size: 1,
      run: (row) => row.field(position),
      isNull: (row) => row.isNull(position),
    };
  }

  #member({ args: [of, key], pos }: Node<'.'>, scope: Scope | undefined): Compiled {
    const map = this.compile(of, scope);
    if (!mayBe(map.type)) throw noMembers(map.type, pos);
    const find = (row: Row): [number, string] => {
      const value = map.run(row);
      const at = isStoredMap(value) ? row.memberAt(value, key) : undefined;
      if (at !== undefined) return [at, (value as Stored).field];
      typeOf(value);
      throw new Unanswered(`No such key: ${key}`);
    };
    return {
      type: 'dyn',
      size: map.size + 1,
      run: (row) => row.read(...find(row)),
      isNull: (row) => row.isNil(find(row)[0]),
    };
  }

  #element({ args: [of, by], pos }: Node<'[]'>, scope: Scope | undefined): Compiled {
    const [container, index] = [this.compile(of, scope), this.compile(by, scope)];
    if (!mayBe(container.type, 'list')) throw noMembers(container.type, pos);
    if (!mayBe(index.type, 'int', 'string')) {
      throw new Refusal(`an index cannot have the type ${index.type}`, by.start);
    }
    const run = (row: Row): ExpressionValue => {
      const [value, key] = [container.run(row), index.run(row)];
      if (isList(value) && typeof key === 'bigint') {
        const size = value instanceof Stored ? value.count : value.length;
        if (key < 0n || key >= size) throw new Unanswered(`index ${key} of a list of ${size}`);
        if (!(value instanceof Stored)) return value[Number(key)]!;
        return row.read(row.elementAt(value, Number(key)), value.field);
      }
      if (isStoredMap(value) && typeof key === 'string') {
        const at = row.memberAt(value, key);
        if (at === undefined) throw new Unanswered(`No such key: ${key}`);
        return row.read(at, value.field);
      }
      throw new Unanswered(`no such overload: ${typeOf(value)}[${typeOf(key)}]`);
    };
    return { type: 'dyn', size: container.size + index.size + 1, run };
  }

  #list({ args }: Node<'list'>, scope: Scope | undefined): Compiled {
    const elements = args.map((each) => this.compile(each, scope));
    const size = elements.reduce((sum, each) => sum + each.size, 1);
    return { type: 'list', size, run: (row) => elements.map((each) => each.run(row)) };
  }

  #minus({ args, pos }: Node<'-_'>, scope: Scope | undefined): Compiled {
    const { type, size, run } = this.compile(args, scope);
    if (!mayBe(type, 'int', 'double')) throw new Refusal(`no such overload: -${type}`, pos);
    return { type, size: size + 1, run: (row) => negated(run(row)) };
  }

  #equality({ op, args, pos }: Node<'==' | '!='>, scope: Scope | undefined): Compiled {
    const [a, b] = this.#sides(args, scope);
    if (!mayEqual(a.type, b.type)) throw noOverloadFor(a, op, b, pos);
    const size = a.size + b.size + 1;
    const wanted = op === '==';
    const asked = a.type === 'null' ? b : b.type === 'null' ? a : undefined;
    if (asked?.isNull !== undefined) {
      return { type: 'bool', size, run: (row) => asked.isNull!(row) === wanted };
    }
    const run = (row: Row): boolean => areEqual(row, a.run(row), b.run(row)) === wanted;
    return { type: 'bool', size, run };
  }

  #order({ op, args, pos }: Node<keyof typeof ORDERS>, scope: Scope | undefined): Compiled {
    const [a, b] = this.#sides(args, scope);
    if (!mayOrder(a.type, b.type)) throw noOverloadFor(a, op, b, pos);
    const run = (row: Row): boolean => isOrdered(row, a.run(row), op, b.run(row));
    return { type: 'bool', size: a.size + b.size + 1, run };
  }

  #membership({ op, args, pos }: Node<'in'>, scope: Scope | undefined): Compiled {
    const [a, b] = this.#sides(args, scope);
    if (!mayBe(b.type, 'list')) throw noOverloadFor(a, op, b, pos);
    const run = (row: Row): boolean => isIn(row, a.run(row), b.run(row));
    return { type: 'bool', size: a.size + b.size + 1, run };
  }

  #sum({ op, args, pos }: Node<keyof typeof ARITHMETIC>, scope: Scope | undefined): Compiled {
    const [a, b] = this.#sides(args, scope);
    if (a.type === 'double' || b.type === 'double') {
      const message = `'${op}' may round here: it is exact for whole numbers only`;
      throw new Refusal(message, pos, 'compare the double with a number as it is');
    }
    const type = sumOf(op, a.type, b.type);
    if (type === undefined) throw noOverloadFor(a, op, b, pos);
    const run = (row: Row): ExpressionValue => calculate(row, a.run(row), op, b.run(row));
    return { type, size: a.size + b.size + 1, run };
  }

  #sides([a, b]: [ASTNode, ASTNode], scope: Scope | undefined): [Compiled, Compiled] {
    return [this.compile(a, scope), this.compile(b, scope)];
  }
}

const noMembers = (type: ExpressionType, at: number): Refusal =>
  new Refusal(`a value of type ${type} has no members`, at);

const noOverloadFor = (a: Compiled, operator: string, b: Compiled, at: number): Refusal =>
  new Refusal(`no such overload: ${a.type} ${operator} ${b.type}`, at);
