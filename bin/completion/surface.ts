import type { Argument, Command, Option } from 'commander';

/** A value to complete: any text, a file, a directory, or one of some words. */
export type Values =
  | { kind: 'text' | 'file' | 'directory' }
  | { kind: 'words'; words: readonly string[] };

/** An option, as somebody types it. */
export interface OptionSurface {
  /** E.g. `['-o', '--output']`. */
  flags: readonly string[];
  description: string;
  /** The name of its value and what that may be, where it takes one. */
  value: { name: string; values: Values } | undefined;
  isRepeatable: boolean;
}

/** An argument, in its place. */
export interface ArgumentSurface {
  name: string;
  values: Values;
}

/** A command, as somebody types it. */
export interface CommandSurface {
  name: string;
  /** The help text, on one line. */
  summary: string;
  options: readonly OptionSurface[];
  arguments: readonly ArgumentSurface[];
}

/** All that can be typed: commands, and options that stand before them. */
export interface Surface extends CommandSurface {
  commands: readonly CommandSurface[];
}

/** The kinds of arguments, by their names in the help. A and B of `diff` are files or servers. */
const FILES = new Set(['file', 'a', 'b']);
const DIRECTORIES = new Set(['dir']);

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (FILES.has(name)) return { kind: 'file' };
  return { kind: DIRECTORIES.has(name) ? 'directory' : 'text' };
}

function optionSurface({ flags, short, long, description, argChoices }: Option): OptionSurface {
  const name = /[<[](.+)[>\]]/.exec(flags)?.[1];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: name === undefined ? undefined : { name, values: valuesOf(name, argChoices) },
    isRepeatable: /\(repeatable\)/.test(description),
  };
}

function argumentSurface(argument: Argument): ArgumentSurface {
  const name = argument.name();
  return { name, values: valuesOf(name, argument.argChoices) };
}

function commandSurface(command: Command): CommandSurface {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: help.subcommandDescription(command),
    options: help.visibleOptions(command).map(optionSurface),
    arguments: command.registeredArguments.map(argumentSurface),
  };
}

/**
 * What a user can type, as commander's definitions have it: what the help shows, no more and no less.
 *
 * @example surfaceOf(buildProgram()).commands[0].name; // 'dump'
 */
export function surfaceOf(program: Command): Surface {
  const commands = program.createHelp().visibleCommands(program).map(commandSurface);
  const words = commands.map(({ name }) => name);
  return {
    ...commandSurface(program),
    commands: commands.map((command) => {
      if (command.name !== 'help') return command;
      return { ...command, arguments: [{ name: 'command', values: { kind: 'words', words } }] };
    }),
  };
}

/** A text that bash and zsh take as it is. */
export function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
