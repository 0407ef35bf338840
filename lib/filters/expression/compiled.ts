import type { ASTNode } from './cel.js';
import type { Row } from './row.js';
import type { ExpressionType } from './types.js';
import type { ExpressionValue } from './values.js';

/** A compiled part of an expression. */
export interface Compiled {
  type: ExpressionType;
  /** The number of its parts, which is the largest number of steps that it takes without loops. */
  size: number;
  /**
   * Computes the value for a row.
   *
   * @throws Unanswered and OverBudget
   */
  run(row: Row): ExpressionValue;
  /** Returns true if the value is null, without decoding it. */
  isNull?(row: Row): boolean;
}

/** The names of loop elements, the innermost first. */
export interface Scope {
  name: string;
  /** The position in the locals of the row. */
  slot: number;
  outer: Scope | undefined;
}

/** Compiles the parts of an expression. */
export interface PartCompiler {
  /**
   * Compiles a part.
   *
   * @throws Refusal
   */
  compile(node: ASTNode, scope: Scope | undefined): Compiled;
  /** Compiles the argument of `field(…)`, which stands at `at`. */
  field(argument: ASTNode | undefined, at: number): Compiled;
}
