import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { completionFor } from '../../bin/commands/completion.js';
import { buildProgram } from '../../bin/commands/program.js';
import { shell, tntar } from '../support/cli.js';
import { checkSyntax, offers, SHELLS } from './shells.js';

/** What a script that was not careful would run, or take for its own. */
const ODD = `it's "two" [x] {a,b} a:b c=d \\n * ~ %s; $HOME $(touch pwned) \`touch pwned\` & | < >`;

function oddProgram(): Command {
  const odd = new Command('odd')
    .summary(ODD)
    .option('--plain', ODD)
    .addOption(
      new Option('--choice <how>', ODD).choices(['a b', "it's", '$(touch pwned)', '[x]:']),
    );
  return new Command('tntar').option('--first', ODD).addCommand(odd);
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

describe('completion', () => {
  const program = buildProgram();
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const lineOf = (command: Command): string =>
    command === program ? 'tntar' : `tntar ${command.name()}`;
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-completion-'));
    mkdirSync(join(folder, 'place'));
    writeFileSync(join(folder, 'plain.zst'), '');
    writeFileSync(join(folder, 'pla in.zst'), '');
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const name of SHELLS) {
    describe(`of ${name}`, () => {
      let script: string;
      const complete = (...lines: string[]): Promise<string[]> =>
        offers(name, script, lines, folder);

      before(async function () {
        const { code } = await shell(`command -v ${name}`);
        if (code !== 0) this.skip();
        script = join(folder, `script.${name}`);
        const { stdout, stderr } = await tntar(['completion', name]);
        equal(stderr, '');
        writeFileSync(script, stdout);
      });

      it('is a script of that shell', () => checkSyntax(name, script, folder));

      it('is in the package in the same form as it is printed', () => {
        const file = { bash: 'tntar.bash', zsh: '_tntar', fish: 'tntar.fish' }[name];
        const packed = new URL(`../../completions/${file}`, import.meta.url);
        equal(readFileSync(packed, 'utf8'), readFileSync(script, 'utf8'));
      });

      it('offers every command with its description', async () => {
        const [text = ''] = await complete('tntar ');
        for (const command of commands) {
          ok(wordsOf(text).includes(command.name()), text);
          if (name !== 'bash') ok(text.includes(help.subcommandDescription(command)), text);
        }
      });

      it('offers every option of every command with its description', async () => {
        const called = [program, ...commands];
        const short = await complete(...called.map((command) => `${lineOf(command)} -`));
        const long = await complete(...called.map((command) => `${lineOf(command)} --`));
        for (const [i, command] of called.entries()) {
          const text = `${short[i]}\n${long[i]}`;
          const options = help.visibleOptions(command);
          const flags = options.flatMap((option) => [option.short ?? option.long!, option.long!]);
          for (const flag of flags) ok(wordsOf(text).includes(flag), `${flag}: ${text}`);
          if (name === 'bash') continue;
          for (const { description } of options) ok(text.includes(description), description);
        }
      });

      it('offers exactly the values that an option takes', async () => {
        const options = commands.flatMap((command) =>
          help.visibleOptions(command).map(({ long, argChoices = [] }) => ({
            line: `${lineOf(command)} ${long} `,
            argChoices,
          })),
        );
        const limited = options.filter(({ argChoices }) => argChoices.length > 0);
        const texts = await complete(...limited.map(({ line }) => line));
        for (const [i, { line, argChoices }] of limited.entries()) {
          const words = wordsOf(texts[i] ?? '');
          for (const choice of argChoices) ok(words.includes(choice), `${line}: ${texts[i]}`);
          ok(!words.includes('plain.zst'), `${line}: ${texts[i]}`);
        }
      });

      it('offers files for arguments that are files', async () => {
        const places = [
          'list -i ',
          'list --input ',
          'dump -o ',
          'dump --output=',
          'diff ',
          'diff a ',
          'list ',
          'verify ',
          'extract -C x ',
          'cat users ',
          'restore db1 ',
        ];
        const texts = await complete(...places.map((place) => `tntar ${place}pla`));
        for (const text of texts) {
          match(text, /plain\.zst/);
          match(text, /pla\\? in\.zst/);
        }
      });

      it('offers only directories for arguments that are directories', async () => {
        const [text = ''] = await complete('tntar extract -C pla');
        match(text, /place/);
        doesNotMatch(text, /plain/);
      });

      it('offers no files for other arguments', async () => {
        const places = ['dump', 'dump --level', 'copy a', 'restore --space'];
        const texts = await complete(...places.map((place) => `tntar ${place} `));
        for (const text of texts) doesNotMatch(text, /plain/);
      });

      it('offers the possible words of an argument', async () => {
        const [shells = '', helped = ''] = await complete('tntar completion ', 'tntar help ');
        for (const each of SHELLS) ok(wordsOf(shells).includes(each), shells);
        ok(wordsOf(helped).includes('restore'), helped);
      });

      it('offers values after a =, and does not take an argument for a command', async () => {
        const [values = '', options = ''] = await complete(
          'tntar dump --source=sn',
          'tntar cat dump --fo',
        );
        match(values, /snapshot/);
        match(options, /--format/);
      });

      it('shows every character of a description, and never runs one as shell code', async () => {
        script = join(folder, `odd.${name}`);
        writeFileSync(script, await completionFor(oddProgram(), name));
        await checkSyntax(name, script, folder);
        const texts = await complete('tntar ', 'tntar -', 'tntar odd -');
        if (name !== 'bash') for (const text of texts) ok(text.includes(ODD), text);
        const [choices = ''] = await complete('tntar odd --choice ');
        match(choices, /a\\? b/);
        match(choices, /it\\?'s/);
        match(choices, /\\?\$\\?\(touch\\? pwned\\?\)/);
        ok(!readdirSync(folder).includes('pwned'));
      });
    });
  }

  it('is refused for another shell', async () => {
    const { code, stdout, stderr } = await tntar(['completion', 'tcsh']);
    equal(code, 2);
    equal(String(stdout), '');
    match(stderr, /Allowed choices are bash, zsh, fish/);
  });

  it('lets readline of bash complete files, because it quotes them', async () => {
    const { stdout } = await tntar(['completion', 'bash']);
    deepEqual(String(stdout).match(/compopt -o \w+/g), [
      'compopt -o default',
      'compopt -o dirnames',
    ]);
  });
});
