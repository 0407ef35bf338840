import { Command } from 'commander';
import { EXIT_HELP } from './exit.js';
import { openInput } from './files.js';
import { StderrReport } from './reporting.js';
import {
  addServerOptions,
  SERVER_HELP,
  type ServerFlags,
  serverOptions,
} from './server-options.js';
import { interruptible } from './signals.js';

interface Flags extends ServerFlags {
  input?: string;
  quiet: boolean;
}

const EXAMPLES = `
Examples:
  tntar restore admin@db2:3301 < backup.tar.zst
  tntar restore admin@db2:3301 -i backup.tar.zst
  tntar dump db1:3301 | tntar restore admin@db2:3301
`;

async function run(uri: string, flags: Flags): Promise<void> {
  const report = new StderrReport(flags.quiet);
  const { restore } = await import('../lib/restore.js');
  try {
    const input = openInput(flags.input);
    const totals = await interruptible(async (signal) => {
      const server = await serverOptions(uri, flags, signal);
      return restore(input, server, { report, signal });
    });
    report.summary('restored', totals);
  } finally {
    report.clear();
  }
}

export function restoreCommand(): Command {
  return addServerOptions(new Command('restore'))
    .summary('put an archive into a database')
    .description(
      'Puts an archive into a database that has none of its spaces. Nothing is written before the\n' +
        'target was found fit, and no row of a part before the part was verified.',
    )
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .option('-q, --quiet', 'print warnings and errors only', false)
    .addHelpText('after', SERVER_HELP + EXAMPLES + EXIT_HELP)
    .action(run);
}
