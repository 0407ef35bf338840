import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { buildProgram } from '../../bin/commands/program.js';
import { manualPage, pageName } from '../../bin/manual/page.js';
import { shell } from '../support/cli.js';

const FOLDER = fileURLToPath(new URL('../../man/', import.meta.url));
const ODD = `.it's a "quoted" \\fBword\\fR, -x --y ~/z ^ \`c\` \\n(xx`;

/** A page as a terminal shows it that is wide enough for every line. */
async function shown(page: string): Promise<string> {
  const line = 'groff -man -Tutf8 -ww -rLL=2000n -P-cbou';
  const { code, stdout, stderr } = await shell(line, { input: page });
  equal(stderr, '');
  equal(code, 0);
  return String(stdout);
}

const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();

describe('the manual', () => {
  const program = buildProgram();
  const help = program.createHelp();
  const commands = [program, ...program.commands];
  const pageOf = (command: Command): string =>
    readFileSync(`${FOLDER}${pageName(command)}.1`, 'utf8');

  before(async function () {
    const { code } = await shell('command -v groff');
    if (code !== 0) this.skip();
  });

  it('has a page for each command, and no other', () => {
    deepEqual(readdirSync(FOLDER).sort(), commands.map((each) => `${pageName(each)}.1`).sort());
  });

  for (const command of commands) {
    describe(pageName(command), () => {
      let text: string;
      before(async () => {
        text = await shown(pageOf(command));
      });

      it('has every section of a page', () => {
        const titles = text.split('\n').filter((line) => /^[A-Z]/.test(line));
        for (const title of ['SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXAMPLES', 'EXIT STATUS']) {
          ok(titles.includes(title), titles.join());
        }
        match(text, new RegExp(`^NAME\\n +${pageName(command)} - \\S`, 'm'));
        match(text, /^SEE ALSO\n.*tntar[\w-]*\(1\)/m);
      });

      it('says all that the help says of options, arguments and commands', () => {
        const page = squeezed(text);
        const terms = [
          ...help
            .visibleOptions(command)
            .map((each) => [help.optionTerm(each), help.optionDescription(each)]),
          ...help
            .visibleArguments(command)
            .map((each) => [help.argumentTerm(each), help.argumentDescription(each)]),
          ...help
            .visibleCommands(command)
            .map((each) => [help.subcommandTerm(each), help.subcommandDescription(each)]),
        ];
        for (const term of terms) ok(page.includes(squeezed(term.join(' '))), `${term}: ${text}`);
        ok(page.includes(squeezed(command.description())));
      });

      it('has the examples and the exit codes of the help', async () => {
        const { stdout } = await shell(`tntar ${command === program ? '' : command.name()} --help`);
        const behind = String(stdout).split(/^Options:$/m)[1] ?? '';
        const examples = /^Examples:\n((?: {2}.*\n)+)/m.exec(behind)?.[1] ?? '';
        for (const line of examples.trimEnd().split('\n')) ok(text.includes(line.trim()), line);
        const codes = /^Exit codes:\n((?: {2}.*\n)+)/m.exec(behind)?.[1] ?? '';
        ok(codes !== '');
        for (const line of codes.trimEnd().split('\n')) {
          ok(squeezed(text).includes(squeezed(line)), line);
        }
      });

      it('is read by mandoc without a warning', async function () {
        const { code, stdout, stderr } = await shell(
          'command -v mandoc >/dev/null || exit 99; mandoc -T lint -W warning',
          { input: pageOf(command) },
        );
        if (code === 99) this.skip();
        equal(`${stdout}${stderr}`, '');
        equal(code, 0);
      });
    });
  }

  it('describes the environment variables of the commands that read them', async () => {
    const dump = await shown(pageOf(program.commands[0]!));
    match(
      dump,
      /^ENVIRONMENT\n +TT_CLI_USERNAME\n(?:.*\n)* +TT_CLI_PASSWORD\n(?:.*\n)* +SSL_CERT_FILE\n/m,
    );
    match(dump, /^ +NO_COLOR\n(?:.*\n)* +TERM, LC_ALL, LC_CTYPE, LANG\n/m);
    const completion = program.commands.find((each) => each.name() === 'completion')!;
    doesNotMatch(pageOf(completion), /ENVIRONMENT/);
  });

  it('shows any character as it was written', async () => {
    const odd = new Command('odd')
      .description(ODD)
      .option('--odd', ODD)
      .addHelpText('after', `\n${ODD}\n\nExamples:\n  ${ODD}\n`);
    const text = await shown(manualPage(odd, '2026-11-25'));
    equal(text.split(ODD).length - 1, 5, text);
  });
});
