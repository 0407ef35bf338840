/** The library for the Common Expression Language, as far as it is used. */
export type { ASTNode } from '@marcbachmann/cel-js';

/** Only who has an expression waits for it. */
export const loadCel = (): Promise<typeof import('@marcbachmann/cel-js')> =>
  import('@marcbachmann/cel-js');
