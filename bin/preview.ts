import type { Step } from '../lib/schema/planner.js';
import { SystemSpace } from '../lib/schema/system.js';
import type { Preview } from '../lib/sinks/preview.js';
import { formatBytes, plural, printable } from './reporting.js';

/** Lua or SQL as it is, but for what would move the cursor of a terminal. */
function showCode(code: string): string[] {
  return code.split('\n').map((line) => `      | ${printable(line)}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

const shown = ({ verb, what }: Step): string => `  ${verb} ${printable(what)}`;

const isGrant = ({ spaceId }: Step): boolean => spaceId === SystemSpace.PRIV;

/** Rows by space, in the order of their ids. */
function showRows({ manifest, plan, counts }: Preview): string[] {
  return manifest.spaces.flatMap(({ id, name }) => {
    const { rows = 0, bytes = 0 } = counts.get(id) ?? {};
    const targetId = plan.ids.find('space', id);
    if (rows === 0 || targetId === undefined) return [];
    const moved = targetId === id ? '' : `, where its id is ${targetId}, not ${id}`;
    return [
      `  insert ${plural(rows, 'row')} (${formatBytes(bytes)}) into space '${printable(name)}'${moved}`,
    ];
  });
}

/**
 * The plan of a restore, for people. What an archive could do harm with comes first: rights, and code
 * that the server would run; then all steps in their order.
 */
export function showPreview(preview: Preview, hasRows: boolean): string {
  const { manifest, plan } = preview;
  const { before, after, grants, triggers, notes, leftOut } = plan;
  const last = [...after, ...grants, ...triggers];
  const code = [...before, ...last].filter((step) => step.code !== undefined);
  const lines = [
    printable(`Restore of a backup of Tarantool ${manifest.server.version}, ${manifest.created}:`),
    ...section('Privileges, given and taken at the very end', last.filter(isGrant).map(shown)),
    ...section(
      'Code that the server will run',
      code.flatMap((step) => [`  ${printable(step.what)}`, ...showCode(step.code ?? '')]),
    ),
    ...section('Before the data', before.map(shown)),
    ...section('The data', hasRows ? showRows(preview) : []),
    ...section('After the data', last.map(shown)),
    ...section(
      'Other on the target',
      notes.map((line) => `  ${printable(line)}`),
    ),
    ...section(
      'Left out',
      leftOut.map((line) => `  ${printable(line)}`),
    ),
    '',
    'Nothing was written: this was a dry run.',
  ];
  return `${lines.join('\n')}\n`;
}
