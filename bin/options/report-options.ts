import { type Command, Option } from 'commander';
import { JsonReport } from '../output/json-report.js';
import { type RunReport, StderrReport } from '../output/stderr-report.js';

/** What the options stand for that say how a run tells of itself. */
export interface ReportFlags {
  quiet: boolean;
  progress: 'auto' | 'json';
}

let isJson = false;

/** Whether the error of a run has to be a line of JSON, too. */
export function wantsJson(): boolean {
  return isJson;
}

export function addReportOptions(command: Command): Command {
  return command
    .optionsGroup('General options:')
    .option('-q, --quiet', 'print warnings and errors only', false)
    .addOption(
      new Option(
        '--progress <how>',
        'format of messages on stderr: auto for people, json for one JSON object per line',
      )
        .choices(['auto', 'json'])
        .default('auto'),
    );
}

/** What a run tells of itself, on stderr. */
export function reportOf({ quiet, progress }: ReportFlags): RunReport {
  isJson = progress === 'json';
  return isJson ? new JsonReport(quiet) : new StderrReport(quiet);
}
