import { type Command, Option } from 'commander';

/** The options about the reports of a run. */
export interface ReportFlags {
  quiet: boolean;
  progress: 'auto' | 'json';
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
