import type { ArchiveInput } from '../archive/input.js';
import { defined } from '../base/defined.js';
import { unlessAborted } from '../base/errors.js';
import { aBoolean, anObject, checkOptions, checkValue, type Kind } from '../base/option-checks.js';
import { silent } from '../base/report.js';
import type { Server } from '../iproto/options.js';
import { withConnection } from '../iproto/with-connection.js';
import { archiveOrigin, type Origin } from '../sources/origin.js';
import { READ_MODE, type ReadMode, serverOrigin } from '../sources/server.js';

import { Comparison } from './comparison.js';
import { DIFF_OPTIONS, type DiffOptions, type DiffResult } from './diff-options.js';

const SIDE: Kind = {
  words: '{ archive } or { server }',
  takes: (value) =>
    anObject.takes(value) && ('archive' in Object(value) || 'server' in Object(value)),
};

/** Checked where it is opened. */
const anything: Kind = { words: 'anything', takes: () => true };

/** One side of a comparison: an archive, or a live server. */
export type DiffInput =
  | { archive: ArchiveInput }
  | { server: Server; source?: ReadMode; forceSnapshot?: boolean };

const ARCHIVE_SIDE = { archive: anything };
const SERVER_SIDE = { server: anything, source: READ_MODE, forceSnapshot: aBoolean };

/** Runs `work` with what reads one side. A connection is closed at its end. */
async function withInput<T>(
  input: DiffInput,
  { report = silent, signal }: DiffOptions,
  work: (begin: Origin) => Promise<T>,
): Promise<T> {
  if ('archive' in input) return work(archiveOrigin(input.archive, { report }));
  const { server, source, forceSnapshot } = input;
  return withConnection(server, signal, (connection) =>
    work(serverOrigin(connection, { report, ...defined({ source, forceSnapshot }) })),
  );
}

function checkSide(which: string, input: unknown): void {
  checkValue(`diff: ${which}`, input, SIDE);
  checkOptions(
    `diff: ${which}`,
    input,
    Object.hasOwn(input as object, 'archive') ? ARCHIVE_SIDE : SERVER_SIDE,
  );
}

/**
 * Compares two databases, each an archive or a live server: definitions by their names, and rows by the
 * primary keys of their spaces. Both are read once, from start to end, in bounded memory.
 *
 * @throws TntarError of either side's kinds, with the name of the side; the reason of `signal`; what a
 *   listener throws
 * @example
 * const { isEqual } = await diff({ archive: 'backup.tar.zst' }, { server: 'db1:3301' }, {
 *   onRow: ({ space, before, after }) => show(space, before, after),
 * });
 */
export async function diff(
  left: DiffInput,
  right: DiffInput,
  options: DiffOptions = {},
): Promise<DiffResult> {
  checkOptions('diff', options, DIFF_OPTIONS);
  checkSide('the first', left);
  checkSide('the second', right);
  return unlessAborted(options.signal, () =>
    withInput(left, options, (a) => withInput(right, options, (b) => diffFrom(a, b, options))),
  );
}

/** Compares what two origins give; see {@link diff}. */
export async function diffFrom(
  left: Origin,
  right: Origin,
  options: DiffOptions = {},
): Promise<DiffResult> {
  const [a, b] = options.names ?? ['the first', 'the second'];
  return unlessAborted(options.signal, () =>
    new Comparison(options).compare({ begin: left, name: a }, { begin: right, name: b }),
  );
}
