import type { CommandSurface, OptionSurface, Surface, Values } from './surface.js';

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Fish reads what is to be offered once more, as a command line. */
function offered(words: readonly string[]): string {
  return `-a ${quoted(words.map(quoted).join(' '))}`;
}

/** `-f` and `-x` keep away the names of files that fish offers where it knows nothing better. */
function argumentParts(values: Values): string[] {
  switch (values.kind) {
    case 'file':
      return ['-F'];
    case 'directory':
      return ['-f', "-a '(__fish_complete_directories)'"];
    case 'words':
      return ['-f', offered(values.words)];
    case 'text':
      return ['-f'];
  }
}

function line(condition: string, ...parts: string[]): string {
  return ['complete -c tntar', `-n ${quoted(condition)}`, ...parts].join(' ');
}

function optionLine(condition: string, { flags, description, value }: OptionSurface): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${quoted(flag.slice(2))}` : `-s ${quoted(flag.slice(1))}`,
  );
  const takes = value === undefined ? [] : ['-r', ...argumentParts(value.values)];
  return line(condition, ...names, ...takes, `-d ${quoted(description)}`);
}

function commandLines(command: CommandSurface): string[] {
  const condition = `__tntar_runs ${quoted(command.name)}`;
  const known = command.arguments.find(({ values }) => values.kind !== 'text');
  return [
    ...command.options.map((option) => optionLine(condition, option)),
    ...(known === undefined ? [] : [line(condition, ...argumentParts(known.values))]),
  ];
}

/**
 * The completion of fish, from 3.0 on.
 *
 * @example fishScript(surfaceOf(buildProgram())); // 'complete -c tntar ...'
 */
export function fishScript(surface: Surface): string {
  const names = surface.commands.map(({ name, summary }) =>
    line('__tntar_runs', offered([name]), `-d ${quoted(summary)}`),
  );
  return [
    '# Completes tntar in fish: made by tntar completion fish.',
    '',
    '# Whether the line has this command, or without an argument, none yet.',
    'function __tntar_runs',
    '    set -l words (commandline -opc)',
    '    for word in $words[2..-1]',
    "        string match -q -- '-*' $word; and continue",
    '        test "$word" = "$argv[1]"',
    '        return',
    '    end',
    '    test -z "$argv[1]"',
    'end',
    '',
    'complete -c tntar -f',
    ...surface.options.map((option) => optionLine('__tntar_runs', option)),
    ...names,
    ...surface.commands.flatMap(commandLines),
    '',
  ].join('\n');
}
