import { Command } from 'commander';
import type { OpenFrom } from '../lib/archive/survey.js';
import { TntarError } from '../lib/errors.js';
import type { Report } from '../lib/report.js';
import type { Findings } from '../lib/salvage.js';
import { warnOfDamage } from './damage.js';
import { EXIT_HELP } from './exit.js';
import { archiveFile, openInput } from './files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from './filter-options.js';
import { addReportOptions, type ReportFlags, reportOf } from './report-options.js';
import { plural } from './reporting.js';
import { interruptible } from './signals.js';

interface Flags extends ChoiceFlags, ReportFlags {
  input?: string;
}

const EXAMPLES = `
Examples:
  tntar verify < backup.tar.zst
  tntar dump db1:3301 | tee backup.tar.zst | tntar verify
`;

function adviceFor({ lost, whole }: Findings): string {
  if (lost.length === 0) return 'nothing is lost: restore --salvage restores all of it';
  if (whole.length === 0) return 'no space is whole: look for another backup';
  return `restore --salvage can restore ${plural(whole.length, 'space')} of it`;
}

/** Says all that is damaged, not the first of it only, where the archive can be read again. */
async function explain(
  error: unknown,
  open: OpenFrom | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<never> {
  if (open === undefined || !(error instanceof TntarError) || error.kind !== 'archive') throw error;
  const { examine } = await import('../lib/salvage.js');
  const findings = await examine(open, signal).catch((worse: unknown) => {
    signal.throwIfAborted();
    throw worse instanceof TntarError ? error : worse;
  });
  warnOfDamage(findings, report);
  throw new TntarError('archive', error.message, { cause: error, hint: adviceFor(findings) });
}

async function run(flags: Flags): Promise<void> {
  const report = reportOf(flags);
  const { inspectFrom } = await import('../lib/inspect.js');
  const { archiveOrigin } = await import('../lib/sources/origin.js');
  try {
    const rewrites = await choiceOf(flags);
    const input = openInput(flags.input);
    // before somebody reads: then it would seem that another program had
    const file = archiveFile(flags.input);
    const origin = archiveOrigin(input, { report, isStrict: true, bytes: file?.size });
    const { totals, consistent } = await interruptible((signal) =>
      inspectFrom(origin, { report, rewrites, signal }).catch((error: unknown) =>
        explain(error, file?.open, report, signal),
      ),
    );
    if (!consistent) report.warn('rows were written while the dump read: it is not of one moment');
    report.summary('verified', totals);
  } finally {
    report.clear();
  }
}

export function verifyCommand(): Command {
  return addReportOptions(addChoiceOptions(new Command('verify')))
    .summary('read a whole archive and check it')
    .description(
      'Reads a whole archive, checks every byte of it, and needs no server.\n' +
        'Of a damaged file it names every bad place, and each space that is not whole.',
    )
    .option('-i, --input <file>', 'read from a file, not from standard input')
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action(run);
}
