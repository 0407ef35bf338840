import { writeFileSync } from 'node:fs';
import { buildProgram } from '../commands/program.js';
import { commandsPage } from './markdown.js';

/** Writes `docs/reference/commands.md`, for `npm run docs:commands`. A test compares the file with its source. */
const PAGE = new URL('../../../docs/reference/commands.md', import.meta.url);

writeFileSync(PAGE, commandsPage(buildProgram()));
