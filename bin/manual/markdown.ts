import type { Command } from 'commander';
import { blocksBehind, bodyOf, headOf, variablesIn } from './page.js';

const COLUMNS = 120;

/** Stands at the top of the page. */
const HEAD = `# Commands

<!-- Generated from the help of the commands. Do not edit: run \`npm run docs:commands\`. -->

This page has what \`tntar COMMAND --help\` prints. The [guides](../../README.md#guides) show the commands at work.`;

/** The reason why no test runs the examples on this page. */
const NOT_RUN = '<!-- not run: examples of --help, on servers and files that are only names -->';

const QUOTED = /(?<=^|[\s(=])['"][^'"]+['"](?=[\s),;.:]|$)/;
const OPTION = /(?<![\w-])--[a-z][\w-]*/;
const CODE = new RegExp(`(${QUOTED.source}|${OPTION.source})`);

/** Writes options and words in quotes as code, and keeps Markdown from reading anything else as its own. */
function inline(text: string): string {
  const code = (part: string): string => `\`${part.replace(/^['"](.*)['"]$/, '$1')}\``;
  const plain = (part: string): string => part.replace(/[\\`*<|]|(?<!\w)_|_(?!\w)/g, '\\$&');
  const parts = text.split(CODE);
  return parts.map((part, index) => (index % 2 === 1 ? code(part) : plain(part))).join('');
}

/** Breaks a text into lines; all lines but the first are indented. */
function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join(`\n${indent}`);
}

const paragraph = (text: string): string => wrapped(inline(text));
const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

function list(title: string, items: readonly { term: string; meaning: string }[]): string[] {
  if (items.length === 0) return [];
  const lines = items.map(({ term, meaning }) =>
    wrapped(`- \`${term}\`: ${inline(meaning)}`, '  '),
  );
  return [`### ${title}`, lines.join('\n')];
}

/** A block of text of the help: lines that are indented stay as they are. */
function prose(block: string): string[] {
  const lines = block.split('\n');
  const start = lines.findIndex((line) => line.startsWith('  '));
  if (start < 0) return [paragraph(block)];
  const table = lines.slice(start).map((line) => line.replace(/^ {2}/, ''));
  const before = lines.slice(0, start).join(' ');
  return [...(before === '' ? [] : [paragraph(before)]), fenced('text', table.join('\n'))];
}

/** Makes titles of different commands different, so that each has an anchor of its own. */
const titleOf = (what: string, command: Command): string => `${what} of ${command.name()}`;

function commandSection(command: Command): string {
  const help = command.createHelp();
  const blocks = blocksBehind(command);
  const isExamples = (block: string): boolean => headOf(block) === 'Examples:';
  const isExits = (block: string): boolean => headOf(block) === 'Exit codes:';
  const others = blocks.filter((block) => !isExamples(block) && !isExits(block));
  const examples = blocks.filter(isExamples).map((block) => bodyOf(block).replace(/^ {2}/gm, ''));
  const exits = blocks.filter(isExits).map((block) => bodyOf(block).replace(/^ {2}/gm, ''));
  const name =
    command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`;
  const text = [command.helpInformation(), ...others].join('\n');
  return [
    `## \`${name}\``,
    paragraph(command.description()),
    fenced('text', help.commandUsage(command)),
    ...list(
      titleOf('Arguments', command),
      help.visibleArguments(command).map((each) => ({
        term: help.argumentTerm(each),
        meaning: help.argumentDescription(each),
      })),
    ),
    ...list(
      titleOf('Commands', command),
      help.visibleCommands(command).map((each) => ({
        term: help.subcommandTerm(each),
        meaning: help.subcommandDescription(each),
      })),
    ),
    ...list(
      titleOf('Options', command),
      help.visibleOptions(command).map((each) => ({
        term: help.optionTerm(each),
        meaning: help.optionDescription(each),
      })),
    ),
    ...(others.length === 0 ? [] : [`### ${titleOf('Notes', command)}`, ...others.flatMap(prose)]),
    ...list(
      titleOf('Environment', command),
      variablesIn(text).map(({ name: term, meaning }) => ({ term, meaning })),
    ),
    `### ${titleOf('Examples', command)}`,
    ...examples.map((lines) => `${NOT_RUN}\n${fenced('sh', lines)}`),
    `### ${titleOf('Exit codes', command)}`,
    ...exits.map((lines) => fenced('text', lines)),
  ].join('\n\n');
}

/**
 * Writes the reference page of all commands, from their definitions and their help.
 *
 * @example commandsPage(buildProgram()); // '# Commands\n\n...'
 */
export function commandsPage(program: Command): string {
  return `${[HEAD, ...[program, ...program.commands].map(commandSection)].join('\n\n')}\n`;
}
