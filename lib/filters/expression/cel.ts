/** The types of the library for the Common Expression Language. */
export type { ASTNode } from '@marcbachmann/cel-js';

/** Loads the library. Only runs with an expression wait for it. */
export const loadCel = (): Promise<typeof import('@marcbachmann/cel-js')> =>
  import('@marcbachmann/cel-js');
