import { Argument, Command } from 'commander';
import type { Surface } from '../completion/surface.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { textOutput } from '../output/standard-output.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const EXAMPLES = `
Examples:
  tntar completion bash > ~/.local/share/bash-completion/completions/tntar
  tntar completion zsh > ~/.zfunc/_tntar
  tntar completion fish > ~/.config/fish/completions/tntar.fish
`;

const SHELLS_HELP = `
For zsh, add ~/.zfunc to fpath before compinit: fpath+=(~/.zfunc) in ~/.zshrc. For the current
shell only, run eval "$(tntar completion bash)" (or zsh), or in fish
tntar completion fish | source.
`;

/** Loads the function that writes the script of a shell. */
async function writerFor(shell: Shell): Promise<(surface: Surface) => string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.js')).bashScript;
    case 'zsh':
      return (await import('../completion/zsh.js')).zshScript;
    case 'fish':
      return (await import('../completion/fish.js')).fishScript;
  }
}

/**
 * What `tntar completion` prints.
 *
 * @example await completionFor(buildProgram(), 'fish'); // 'complete -c tntar ...'
 */
export async function completionFor(program: Command, shell: Shell): Promise<string> {
  const { surfaceOf } = await import('../completion/surface.js');
  const write = await writerFor(shell);
  return write(surfaceOf(program));
}

async function execute(run: Run, shell: Shell, command: Command): Promise<void> {
  textOutput(run).write(await completionFor(command.parent ?? command, shell));
}

export function completionCommand(run: Run): Command {
  return new Command('completion')
    .summary('print a shell completion script')
    .description(
      'Print a script that completes commands, options, their values and file names in a shell. ' +
        'The script does not call tntar: print it again after an update.',
    )
    .addArgument(new Argument('<shell>', 'shell to print the script for').choices(SHELLS))
    .addHelpText('after', SHELLS_HELP + EXAMPLES + EXIT_HELP)
    .action((shell, _flags, command) => execute(run, shell, command));
}
