import { equal, ok } from 'node:assert/strict';
import { Command } from 'commander';
import { buildProgram } from '../../bin/commands/program.js';
import { commandsPage } from '../../bin/manual/markdown.js';
import { pageAt } from './pages.js';

const PAGE = 'docs/reference/commands.md';

describe(PAGE, () => {
  it('is what `npm run docs:commands` writes', () => {
    equal(pageAt(PAGE).text, commandsPage(buildProgram()));
  });

  it('has every command and every option of the help', () => {
    const { text } = pageAt(PAGE);
    for (const command of buildProgram().commands) {
      ok(text.includes(`\n## \`tntar ${command.name()}\`\n`), command.name());
      const help = command.createHelp();
      for (const option of help.visibleOptions(command)) {
        ok(text.includes(`\n- \`${help.optionTerm(option)}\`: `), option.flags);
      }
    }
  });

  it('shows options and words in quotes as code, and lets Markdown read nothing else as its own', () => {
    const program = new Command('tool').description("Takes 'a_*', --all, a <file>, _x_ and x_y_z.");
    const text = commandsPage(program);
    ok(text.includes('Takes `a_*`, `--all`, a \\<file>, \\_x\\_ and x_y_z.'), text);
  });
});
