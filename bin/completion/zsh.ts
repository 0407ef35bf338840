import {
  type ArgumentSurface,
  type CommandSurface,
  type OptionSurface,
  quoted,
  type Surface,
  type Values,
} from './surface.js';

/** `_arguments` and `_describe` take these as their own. */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}

function action(values: Values): string {
  switch (values.kind) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'words':
      return `(${values.words.map((word) => word.replace(/[^\w.-]/g, '\\$&')).join(' ')})`;
    case 'text':
      return ' ';
  }
}

/** A line of `_arguments` for each way to write an option; one shuts out the other. */
function optionSpecs({ flags, description, value, isRepeatable }: OptionSurface): string[] {
  return flags.map((flag) => {
    const prefix = isRepeatable ? '*' : `(${flags.join(' ')})`;
    const joint = flag.startsWith('--') ? '=' : '+';
    const takes = value === undefined ? '' : `:${escaped(value.name)}:${action(value.values)}`;
    const spec = `${flag}${value === undefined ? '' : joint}[${escaped(description)}]${takes}`;
    const stops = flag === '--help' || flag === '--version' || flag === '-h' || flag === '-V';
    return stops ? `(- *)${spec}` : prefix + spec;
  });
}

function argumentSpec({ name, values }: ArgumentSurface, index: number): string {
  return `${index + 1}:${escaped(name)}:${action(values)}`;
}

function commandCase(command: CommandSurface): string {
  const specs = [...command.options.flatMap(optionSpecs), ...command.arguments.map(argumentSpec)];
  return [
    `        ${quoted(command.name)})`,
    '          _arguments -s -S \\',
    `${specs.map((spec) => `            ${quoted(spec)}`).join(' \\\n')} && ret=0`,
    '          ;;',
  ].join('\n');
}

/**
 * The completion of zsh, for a folder of `fpath` as well as for `eval`.
 *
 * @example zshScript(surfaceOf(buildProgram())); // '#compdef tntar ...'
 */
export function zshScript(surface: Surface): string {
  const commands = surface.commands.map(
    ({ name, summary }) => `        ${quoted(`${escaped(name)}:${escaped(summary)}`)}`,
  );
  const options = surface.options.flatMap(optionSpecs).map((spec) => `    ${quoted(spec)} \\`);
  return `#compdef tntar
# Completes tntar in zsh: made by tntar completion zsh.

_tntar() {
  local curcontext=$curcontext state state_descr ret=1
  local -a line commands
  typeset -A opt_args
  _arguments -C -S \\
${options.join('\n')}
    '1: :->command' \\
    '*:: :->arguments' && ret=0
  case $state in
    command)
      commands=(
${commands.join('\n')}
      )
      _describe -t commands 'command of tntar' commands && ret=0
      ;;
    arguments)
      curcontext=\${curcontext%:*:*}:tntar-$line[1]:
      case $line[1] in
${surface.commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
  return ret
}

# as a file of fpath this is the body of the function; elsewhere it has to be made known
if [[ $funcstack[1] == _tntar ]]; then
  _tntar "$@"
else
  compdef _tntar tntar
fi
`;
}
