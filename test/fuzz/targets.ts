import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fixturePath } from '../fixtures/folder.js';

/** What is fuzzed, each by the module of its name: its function `fuzz` takes any bytes. */
export const TARGETS = ['values', 'packets', 'headers', 'documents', 'archives'] as const;

export type Target = (typeof TARGETS)[number];

/** Where inputs are kept that once made a target fail. */
export function foundIn(target: Target): string {
  return fixturePath(`fuzz/${target}/`);
}

/** All inputs that once made a target fail, by their names. */
export function found(target: Target): [name: string, input: Buffer][] {
  const folder = foundIn(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => [name, readFileSync(`${folder}${name}`)]);
}

/** What the target does with an input; it throws, or rejects, where that makes it fail. */
export async function functionOf(target: Target): Promise<(data: Buffer) => unknown> {
  const { fuzz } = (await import(`./${target}.js`)) as { fuzz: (data: Buffer) => unknown };
  return fuzz;
}
