import { equal } from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { shell } from '../support/cli.js';

/** Shells whose completion is tested, as Debian has them; `.ci/setup` installs them. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

async function sh(line: string, cwd: string): Promise<string> {
  const { code, stdout, stderr } = await shell(line, {
    cwd,
    env: { LC_ALL: 'C.UTF-8', TERM: 'xterm', HOME: cwd },
  });
  equal(stderr, '');
  equal(code, 0, line);
  return String(stdout);
}

/** Between what is offered for one line and for the next one. */
const MARK = '@@@@@';

/** Calls the function that bash would call, with the words that it would hand over. */
function inBash(script: string, lines: readonly string[]): string {
  const calls = lines.map((line) => {
    const words = line.split(/ +|(=)/).filter((word) => word !== undefined);
    return `
      COMP_WORDS=(${words.map(quoted).join(' ')}) COMP_CWORD=${words.length - 1}
      _tntar; printf '%s\n' "\${COMPREPLY[@]}" ${MARK}`;
  });
  return `source ${quoted(script)}; ${calls.join('')}`;
}

/**
 * Types into a zsh at a terminal that is wide enough for whole descriptions, and looks at what it lists until
 * it prompts again. The prompt is spelled so that the line that sets it does not look like it.
 */
function inZsh(script: string, lines: readonly string[]): string {
  const setup = [
    'stty rows 400 cols 600; LISTMAX=9999; print -v PS1 "REA\\x44Y\\n"; autoload -Uz compinit',
    `compinit -u -D; bindkey "^I" list-choices; source ${quoted(script)}`,
  ].join('; ');
  const typist = [
    'await() { out=; while [[ $out != *READY* ]]; do zpty -r z line; out+=$line; done }',
    'zmodload zsh/zpty; zpty z zsh -f -i',
    `zpty -w z ${quoted(setup)}; await`,
    ...lines.flatMap((line) => [
      `zpty -w -n z ${quoted(line)}$'\\t'`,
      `zpty -w -n z $'\\C-U\\n'; await; print -r -- $out; print ${MARK}`,
    ]),
    'zpty -d z',
  ];
  return `zsh -f -c ${quoted(typist.join('\n'))}`;
}

function inFish(script: string, lines: readonly string[]): string {
  const calls = lines.map((line) => `complete -C ${quoted(line)}; echo ${MARK}`);
  return `fish --no-config -c ${quoted([`source ${script}`, ...calls].join('\n'))}`;
}

const RUN = { bash: inBash, zsh: inZsh, fish: inFish };

/**
 * What a shell offers for the last word of each of these lines.
 *
 * @param script - the file that it has read
 */
export async function offers(
  shell: Shell,
  script: string,
  lines: readonly string[],
  cwd: string,
): Promise<string[]> {
  const printed = stripVTControlCharacters(await sh(RUN[shell](script, lines), cwd));
  const parts = printed.split(`${MARK}\n`).slice(0, -1);
  equal(parts.length, lines.length, printed);
  return parts;
}

/** Whether a shell knows the script for one of its language. */
export async function checkSyntax(shell: Shell, script: string, cwd: string): Promise<void> {
  equal(await sh(`${shell} -n ${quoted(script)}`, cwd), '');
}
