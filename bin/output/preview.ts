import type { OnConflict } from '../../lib/schema/plan/options.js';
import { isWrite, type Step, type WriteStep } from '../../lib/schema/plan/step.js';
import { Field, SystemSpace } from '../../lib/schema/server/system-spaces.js';
import { hasEmptyPassword } from '../../lib/schema/trust/passwords.js';
import type { PreviewResult } from '../../lib/sinks/preview.js';
import { decode, type Value } from '../../lib/tuple/codec.js';
import { formatBytes, plural, printable } from './stderr-report.js';

/** Lua or SQL as it is, but for what would move the cursor of a terminal. */
function showCode(code: string): string[] {
  return code.split('\n').map((line) => `      | ${printable(line)}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

const shown = ({ verb, what }: Step): string => `  ${verb} ${printable(what)}`;

const isGrant = ({ spaceId }: Step): boolean => spaceId === SystemSpace.PRIV;

/** Whoever knows the password that a user brings along may log in with it. */
function showUser(step: WriteStep): string {
  const auth = (decode(step.row) as Value[])[Field.user.auth];
  if (hasEmptyPassword(auth)) return `${shown(step)}, with an EMPTY password`;
  return `${shown(step)}${Object.keys(auth ?? {}).length > 0 ? ', with its password' : ''}`;
}

/** Rights that nobody may overlook. */
const showOpen = (line: string): string => `  ANYBODY without a password: ${printable(line)}`;

/** A function without code is one that the target has, now callable by who is granted it. */
function showCallable({ what, code }: WriteStep): string[] {
  if (code !== undefined) return [`  ${printable(what)}`, ...showCode(code)];
  return [`  ${printable(what)}, without code: what the target knows by this name`];
}

const HOW: Readonly<Record<OnConflict, string>> = {
  error: 'insert',
  skip: 'insert, where their keys are not there,',
  replace: 'insert, or put over those that have their keys,',
};

/** Rows by space, in the order of their ids. */
function showRows({ manifest, plan, counts }: PreviewResult): string[] {
  return manifest.spaces.flatMap(({ id, name }) => {
    const { rows = 0, bytes = 0 } = counts.get(id) ?? {};
    const destination = plan.destinations.get(id);
    if (rows === 0 || destination === undefined) return [];
    const { id: targetId, onConflict } = destination;
    const moved = targetId === id ? '' : `, where its id is ${targetId}, not ${id}`;
    return [
      `  ${HOW[onConflict]} ${plural(rows, 'row')} (${formatBytes(bytes)}) into space '${printable(name)}'${moved}`,
    ];
  });
}

/** Returns the lines about data that a restore removes for good. */
function showLosses({ drops, before, losses }: PreviewResult['plan']): string[] {
  const holders: readonly number[] = [SystemSpace.SPACE, SystemSpace.SEQUENCE];
  const dropped = drops.filter(
    ({ spaceId, verb }) => holders.includes(spaceId) && verb === 'delete',
  );
  const emptied = before.filter(({ verb }) => verb === 'truncate');
  return [
    ...dropped.map(({ what }) => `  drop ${printable(what)}`),
    ...emptied.map(({ what }) => `  empty ${printable(what)}`),
    ...losses.map((line) => `  ${printable(line)}`),
  ];
}

/**
 * The plan of a restore, for people. What could do harm comes first: losses, users, rights, and code that
 * the server would run; then all steps in their order.
 */
export function showPreview(preview: PreviewResult): string {
  const { manifest, plan } = preview;
  const { drops, before, after, grants, triggers, notes, omissions, rights, used } = plan;
  const last = [...after, ...grants, ...triggers];
  const code = [...before, ...last]
    .filter(isWrite)
    .filter((step) => step.code !== undefined || step.spaceId === SystemSpace.FUNC);
  const users = before.filter(isWrite).filter(({ spaceId }) => spaceId === SystemSpace.USER);
  const lines = [
    printable(`Restore of a backup of Tarantool ${manifest.server.version}, ${manifest.created}:`),
    ...section('What the target loses, rows and all', showLosses(plan)),
    ...section('Users and roles', users.map(showUser)),
    ...section('Privileges, given and taken at the very end', [
      ...rights.open.map(showOpen),
      ...last.filter(isGrant).map(shown),
    ]),
    ...section(
      'Owners, who may use what they own without a grant',
      rights.owners.map((line) => `  ${printable(line)}`),
    ),
    ...section('Code that the server will run', code.flatMap(showCallable)),
    ...section('Before the data', [...drops, ...before].map(shown)),
    ...section('The data', showRows(preview)),
    ...section('After the data', last.map(shown)),
    ...section(
      'Other on the target',
      notes.map((line) => `  ${printable(line)}`),
    ),
    ...section(
      'Used as they are',
      used.map(({ what }) => `  ${printable(what)}`),
    ),
    ...section(
      'Left out',
      omissions.map((line) => `  ${printable(line)}`),
    ),
    '',
    'Nothing was written: this was a dry run.',
  ];
  return `${lines.join('\n')}\n`;
}
