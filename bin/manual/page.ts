import type { Command } from 'commander';
import { VERSION } from '../../lib/base/version.js';
import { escaped, item, paragraph, section, verbatim } from './roff.js';

/** No definition of commander has them. They stand in a page whose help has the `sign`. */
const VARIABLES = [
  {
    name: 'TT_CLI_USERNAME',
    meaning: 'The user, where the address names none.',
    sign: 'TT_CLI_USERNAME',
  },
  {
    name: 'TT_CLI_PASSWORD',
    meaning: 'The password, where neither the address nor a file has one.',
    sign: 'TT_CLI_PASSWORD',
  },
  {
    name: 'SSL_CERT_FILE',
    meaning: 'The authorities that are trusted, in place of the list of the system (PEM).',
    sign: '--tls-ca ',
  },
  {
    name: 'TMPDIR',
    meaning: 'Where rows are sorted that come in no known order.',
    sign: '--sort ',
  },
  {
    name: 'NO_COLOR',
    meaning: 'If it is set, there are no colors, and progress is shown in plain lines.',
    sign: '--progress ',
  },
  {
    name: 'TERM, LC_ALL, LC_CTYPE, LANG',
    meaning: 'On a dumb terminal, or in a locale without UTF-8, progress is shown in plain lines.',
    sign: '--progress ',
  },
];

/** Returns the blocks of the help that follow the options. */
export function blocksBehind(command: Command): string[] {
  let text = '';
  const output = command.configureOutput();
  command.configureOutput({
    ...output,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  command.configureOutput(output);
  return text
    .slice(command.helpInformation().length)
    .trim()
    .split(/\n{2,}/);
}

/** Returns the first line of a block: its title. */
export const headOf = (block: string): string => block.split('\n', 1)[0] ?? '';
/** Returns all other lines of a block. */
export const bodyOf = (block: string): string => block.split('\n').slice(1).join('\n');

/** Lines that are indented are a table, or code. */
function prose(block: string): string[] {
  const lines = block.split('\n');
  const start = lines.findIndex((line) => line.startsWith('  '));
  if (start < 0) return paragraph(block);
  const table = verbatim(lines.slice(start).join('\n'));
  return start === 0 ? table : [...paragraph(lines.slice(0, start).join('\n')), ...table];
}

/** Lines of a code and its meaning; a line with no code is about the ones above. */
function exitCodes(block: string): string[] {
  return bodyOf(block)
    .split('\n')
    .flatMap((line) => {
      const [, code, meaning] = /^ {2}(\S+) {2}(.+)$/.exec(line) ?? [];
      if (code === undefined || meaning === undefined) return paragraph(line);
      return item(code, meaning);
    });
}

/** Returns the environment variables of a command, by the text of its help. */
export function variablesIn(help: string): readonly { name: string; meaning: string }[] {
  return VARIABLES.filter(({ sign }) => help.includes(sign));
}

function variables(help: string): string[] {
  return variablesIn(help).flatMap(({ name, meaning }) => item(name, meaning));
}

/**
 * The name of a page, as `man` is asked for it.
 *
 * @example pageName(buildProgram().commands[0]); // 'tntar-dump'
 */
export function pageName(command: Command): string {
  return command.parent === null ? command.name() : `${command.parent.name()}-${command.name()}`;
}

function seeAlso(command: Command): string[] {
  const program = command.parent ?? command;
  const names = [program, ...program.commands].filter((each) => each !== command).map(pageName);
  return [`${names.map((name) => `\\fB${escaped(name)}\\fR(1)`).join(',\n')}`];
}

/**
 * The page of a command for `man`, of its definitions and its help.
 *
 * @param date - of the page, e.g. `2026-11-25`
 * @example manualPage(buildProgram(), '2026-11-25'); // '.TH "TNTAR" "1" ...'
 */
export function manualPage(command: Command, date: string): string {
  const help = command.createHelp();
  const name = pageName(command);
  const summary = command.summary() || command.description().replace(/\.$/, '');
  const blocks = blocksBehind(command);
  const isExamples = (block: string): boolean => headOf(block) === 'Examples:';
  const isExits = (block: string): boolean => headOf(block) === 'Exit codes:';
  const others = blocks.filter((block) => !isExamples(block) && !isExits(block));
  const terms = help
    .visibleArguments(command)
    .flatMap((each) => item(help.argumentTerm(each), help.argumentDescription(each)));
  const options = help
    .visibleOptions(command)
    .flatMap((each) => item(help.optionTerm(each), help.optionDescription(each)));
  const commands = help
    .visibleCommands(command)
    .flatMap((each) => item(help.subcommandTerm(each), help.subcommandDescription(each)));
  const page = [
    `.TH "${escaped(name.toUpperCase())}" "1" "${date}" "tntar ${VERSION}" "User Commands"`,
    '.nh', // a name that is hyphenated cannot be copied
    '.ad l',
    ...section('NAME', [`${escaped(name)} \\- ${escaped(summary)}`]),
    ...section('SYNOPSIS', [`\\fB${escaped(help.commandUsage(command))}\\fR`]),
    ...section('DESCRIPTION', [...paragraph(command.description()), ...others.flatMap(prose)]),
    ...section('ARGUMENTS', terms),
    ...section('OPTIONS', options),
    ...section('COMMANDS', commands),
    ...section('EXAMPLES', blocks.filter(isExamples).map(bodyOf).flatMap(verbatim)),
    ...section('EXIT STATUS', blocks.filter(isExits).flatMap(exitCodes)),
    ...section('ENVIRONMENT', variables([command.helpInformation(), ...others].join('\n'))),
    ...section('SEE ALSO', seeAlso(command)),
  ];
  return `${page.join('\n')}\n`;
}
