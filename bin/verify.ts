import { Command } from 'commander';
import { EXIT_HELP } from './exit.js';
import { openInput } from './files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from './filter-options.js';
import { StderrReport } from './reporting.js';
import { interruptible } from './signals.js';

interface Flags extends ChoiceFlags {
  input?: string;
  quiet: boolean;
}

const EXAMPLES = `
Examples:
  tntar verify < backup.tar.zst
  tntar dump db1:3301 | tee backup.tar.zst | tntar verify
`;

async function run(flags: Flags): Promise<void> {
  const report = new StderrReport(flags.quiet);
  const { inspect } = await import('../lib/inspect.js');
  try {
    const rewrites = await choiceOf(flags);
    const input = openInput(flags.input);
    const { totals, consistent } = await interruptible((signal) =>
      inspect(input, { report, rewrites, signal }),
    );
    if (!consistent) report.warn('rows were written while the dump read: it is not of one moment');
    report.summary('verified', totals);
  } finally {
    report.clear();
  }
}

export function verifyCommand(): Command {
  return addChoiceOptions(new Command('verify'))
    .summary('read a whole archive and check it')
    .description('Reads a whole archive, checks every byte of it, and needs no server.')
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .option('-q, --quiet', 'print warnings and errors only', false)
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action(run);
}
