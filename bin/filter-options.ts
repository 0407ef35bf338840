import type { Command } from 'commander';
import type { Rewrite } from '../lib/filters/rewrite.js';

/** What the options that choose and change spaces stand for. */
export interface FilterFlags {
  space: string[];
  exclude: string[];
}

const gather = (value: string, before: string[]): string[] => [...before, value];

/** Options that choose spaces by name. */
export function addChoiceOptions(command: Command): Command {
  return command
    .option('--space <glob>', 'only spaces of such names; may be given again', gather, [])
    .option('--exclude <glob>', 'no spaces of such names; may be given again', gather, []);
}

/** The filters that the options ask for, in the order in which they work. */
export async function rewritesOf({ space, exclude }: FilterFlags): Promise<Rewrite[]> {
  if (space.length + exclude.length === 0) return [];
  const { chooseSpaces } = await import('../lib/filters/choose.js');
  return [chooseSpaces({ only: space, except: exclude })];
}
