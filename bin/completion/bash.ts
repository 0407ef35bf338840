import { type CommandSurface, quoted, type Surface, type Values } from './surface.js';

/** Assigns what may stand in a place. */
function assign(values: Values): string {
  if (values.kind === 'words') return `words=(${values.words.map(quoted).join(' ')})`;
  return `kind=${values.kind}`;
}

/** A line for all options whose values are alike. */
function optionCases({ options }: CommandSurface): string[] {
  const alike = new Map<string, string[]>();
  for (const { flags, value } of options) {
    if (value === undefined) continue;
    const line = assign(value.values);
    alike.set(line, [...(alike.get(line) ?? []), ...flags.map(quoted)]);
  }
  return [...alike].map(([line, flags]) => `        ${flags.join(' | ')}) is_value=1 ${line} ;;`);
}

/** Bash is not told how many arguments there are: what one may be is offered for each. */
function argumentLine(command: CommandSurface): string[] {
  const known = command.arguments.find(({ values }) => values.kind !== 'text');
  return known === undefined ? [] : [`      [[ $is_value ]] || ${assign(known.values)}`];
}

function commandCase(command: CommandSurface, pattern: string): string {
  const cases = optionCases(command);
  return [
    `    ${pattern})`,
    `      options=(${command.options.flatMap(({ flags }) => flags.map(quoted)).join(' ')})`,
    ...(cases.length === 0 ? [] : ['      case $prev in', ...cases, '      esac']),
    ...argumentLine(command),
    '      ;;',
  ].join('\n');
}

const HEAD = `# Completes tntar in bash: made by tntar completion bash.

_tntar() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' kind=text is_value='' word
  local -a words=() options=()
  COMPREPLY=()
  # --option=value is three words
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then
      command=$word
      break
    fi
  done
  case $command in`;

const TAIL = `  esac
  if [[ $kind == file ]] && [[ $is_value || $cur != -* ]]; then
    # readline itself knows best about names of files; bash before 4 and other callers get a list
    compopt -o default 2>/dev/null && return
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
    return
  elif [[ $kind == directory ]]; then
    compopt -o dirnames 2>/dev/null && return
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$cur")
    return
  elif [[ ! $is_value ]] && [[ $cur == -* || \${#words[@]} == 0 ]]; then
    words=("\${options[@]}")
  fi
  for word in "\${words[@]}"; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
  return 0
}

complete -F _tntar tntar
`;

/**
 * The completion of bash, from 3.2 on; it shows no descriptions.
 *
 * @example bashScript(surfaceOf(buildProgram())); // '_tntar() { ... }; complete -F _tntar tntar'
 */
export function bashScript(surface: Surface): string {
  const names = surface.commands.map(({ name }) => name);
  const root: CommandSurface = {
    ...surface,
    arguments: [{ name: 'command', values: { kind: 'words', words: names } }],
  };
  const cases = surface.commands.map((command) => commandCase(command, quoted(command.name)));
  return [HEAD, commandCase(root, "''"), ...cases, TAIL].join('\n');
}
