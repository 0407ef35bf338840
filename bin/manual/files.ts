import { mkdirSync, writeFileSync } from 'node:fs';
import { completionFor } from '../commands/completion.js';
import { buildProgram } from '../commands/program.js';
import { manualPage, pageName } from './page.js';

/**
 * The last step of a build: `dist/man` and `dist/completions`, for the package. The pages have the date of
 * the build, or that of `SOURCE_DATE_EPOCH`, which makes for the same bytes each time.
 */
const MAN = new URL('../../man/', import.meta.url);
const COMPLETIONS = new URL('../../completions/', import.meta.url);
/** The file name that each shell looks for. */
const SCRIPTS = { bash: 'tntar.bash', zsh: '_tntar', fish: 'tntar.fish' } as const;

function today(): string {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
  return date.toISOString().slice(0, 10);
}

const program = buildProgram();
mkdirSync(MAN, { recursive: true });
for (const command of [program, ...program.commands]) {
  writeFileSync(new URL(`${pageName(command)}.1`, MAN), manualPage(command, today()));
}
mkdirSync(COMPLETIONS, { recursive: true });
for (const shell of ['bash', 'zsh', 'fish'] as const) {
  writeFileSync(new URL(SCRIPTS[shell], COMPLETIONS), await completionFor(program, shell));
}
