import { Command } from 'commander';
import { TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import type { DamageResult } from '../../lib/pipelines/damage.js';
import type { VerifyResult } from '../../lib/pipelines/verify.js';
import { archiveFile, type LocalFile } from '../options/files.js';
import { addChoiceOptions, type ChoiceFlags, choiceOf } from '../options/filter-options.js';
import { addInput, type InputFlags, inputOf } from '../options/places.js';
import { addReportOptions, type ReportFlags } from '../options/report-options.js';
import { warnOfDamage } from '../output/damage-report.js';
import { EXIT_HELP } from '../output/exit.js';
import type { Run } from '../output/run.js';
import { interruptible } from '../output/signals.js';
import { plural } from '../output/stderr-report.js';

interface Flags extends ChoiceFlags, ReportFlags, InputFlags {}

const EXAMPLES = `
Examples:
  tntar verify backup.tar.zst
  tntar dump db1:3301 | tee backup.tar.zst | tntar verify
`;

function adviceFor({ lost, whole }: DamageResult): string {
  if (lost.length === 0) return 'nothing is lost: restore --salvage restores all of it';
  if (whole.length === 0) return 'no space is whole: look for another backup';
  return `restore --salvage can restore ${plural(whole.length, 'space')} of it`;
}

/** Says all that is damaged, not the first of it only, where the archive can be read again. */
async function explain(
  error: unknown,
  archive: LocalFile | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<never> {
  if (archive === undefined || !(error instanceof TntarError) || error.kind !== 'archive')
    throw error;
  const { holdsTar } = await import('../../lib/sources/stream.js');
  if (await holdsTar(archive.open(0))) throw error;
  const { findDamage } = await import('../../lib/pipelines/damage.js');
  const findings = await findDamage(archive, { signal }).catch((worse: unknown) => {
    signal.throwIfAborted();
    throw worse instanceof TntarError ? error : worse;
  });
  warnOfDamage(findings, report);
  throw new TntarError('archive', error.message, { cause: error, hint: adviceFor(findings) });
}

/** No backup is called verified that might have lost a space, or half of one, between two tuples. */
function unverified({ spaces, totals }: VerifyResult): TntarError {
  const filled = spaces.filter(({ rows }) => rows > 0).length;
  return new TntarError(
    'archive',
    `all tuples are whole, ${plural(totals.rows, 'row')} in ${plural(filled, 'space')}, but nothing proves that they are all`,
    {
      hint: 'a directory of the Lua module has no trailer: restore it, check the data, and dump it with tntar',
    },
  );
}

async function execute(run: Run, file: string | undefined, flags: Flags): Promise<void> {
  const input = inputOf(
    file,
    flags.input,
    'verify',
    (server) => `tntar dump ${server} | tntar verify`,
  );
  const report = run.report(flags);
  const { verifyFrom } = await import('../../lib/pipelines/verify.js');
  try {
    const filters = await choiceOf(flags);
    const { originOf } = await import('../options/input-source.js');
    const origin = originOf(run, input, report, { isWhole: true, shard: flags.shard });
    // before somebody reads: then it would seem that another program had
    const again = archiveFile(run.process, input);
    const contents = await interruptible(run, (signal) =>
      verifyFrom(origin, { report, filters, signal }).catch((error: unknown) =>
        explain(error, again, report, signal),
      ),
    );
    const { manifest, totals, consistent, unvouched } = contents;
    if (unvouched) throw unverified(contents);
    for (const what of manifest.partial ?? []) {
      report.note(`this is only a part of the database: ${what}`);
    }
    if (!consistent)
      report.warn(
        'rows were written or not yet committed while the dump read: it is not from one moment',
      );
    report.summary('verified', totals);
  } finally {
    report.clear();
  }
}

export function verifyCommand(run: Run): Command {
  const own = addInput(new Command('verify'))
    .summary('verify a whole archive')
    .description(
      'Read a whole archive and check every byte of it, without a server. For a damaged file, ' +
        'every damaged place and every incomplete space is listed. In a directory of the Lua module ' +
        'only the tuples can be checked, and the exit code is 3.',
    );
  return addReportOptions(addChoiceOptions(own))
    .addHelpText('after', EXAMPLES + EXIT_HELP)
    .action((file, flags) => execute(run, file, flags));
}
