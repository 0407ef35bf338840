import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { buildProgram } from '../../bin/commands/program.js';
import { pageName } from '../../bin/manual/page.js';

/** The folder of the committed help pages. */
export const HELP_FOLDER = new URL('../../../test/cli/help/', import.meta.url);

/** The width that commander takes if the output is no terminal. */
const WIDTH = 80;

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    ...command.configureOutput(),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/**
 * Returns the help of the program and of each command, by the name of its file.
 *
 * @example helpPages().get('tntar-dump.txt'); // 'Usage: tntar dump [options] [uri]\n...'
 */
export function helpPages(): Map<string, string> {
  const program = buildProgram();
  return new Map(
    [program, ...program.commands].map((each) => [`${pageName(each)}.txt`, helpOf(each)]),
  );
}

/** Writes the committed help pages, for `npm run docs:help`. */
export function writeHelpPages(): void {
  for (const [name, text] of helpPages()) writeFileSync(new URL(name, HELP_FOLDER), text);
}
