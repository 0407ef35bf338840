import type { ASTNode } from './cel.js';
import type { Row } from './row.js';
import type { ExpressionType } from './types.js';
import type { ExpressionValue } from './values.js';

/** A part of an expression after compiling. */
export interface Compiled {
  type: ExpressionType;
  /** Parts that it is made of: the steps that it takes at most, but for loops. */
  size: number;
  /** @throws Unanswered and OverBudget */
  run(row: Row): ExpressionValue;
  /** Tells whether the value is null without decoding it. */
  isNull?(row: Row): boolean;
}

/** The names that loops give to their elements, the innermost first. */
export interface Scope {
  name: string;
  /** In the locals of the row. */
  slot: number;
  outer: Scope | undefined;
}

/** Compiles the parts of an expression. */
export interface PartCompiler {
  /** @throws Refusal */
  compile(node: ASTNode, scope: Scope | undefined): Compiled;
  /** Compiles the argument of `field(…)`, which stands at `at`. */
  field(argument: ASTNode | undefined, at: number): Compiled;
}
