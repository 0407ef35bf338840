import { type BackupEnd, type BackupItem, Counter } from '../backup/item.js';
import { sameVclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { aFunction, aSignal, checkOptions, type Kinds } from '../base/option-checks.js';
import { type ItemReadable, itemReadable } from '../flow/item-readable.js';
import type { Connection } from '../iproto/connection.js';
import { type Catalog, rowlessReason, type Space } from '../schema/catalog/catalog.js';
import { systemBatches } from '../schema/catalog/preamble.js';
import { renumberCollations } from '../schema/convert/old-collations.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { readVisible } from '../server/catalog.js';
import { readSpace } from '../server/pages.js';
import { readSequenceValues } from '../server/sequence-values.js';
import { readLocalLsn, readStatus } from '../server/status.js';
import { findUnconfirmed } from '../server/unconfirmed.js';
import { findHidden, throwHidden } from '../server/unreadable.js';
import { decode, type Value } from '../tuple/codec.js';
import { describeBackup, rowsFrom } from './manifest-from-catalog.js';

async function* readBackup(
  connection: Connection,
  wants: (space: string) => boolean,
): AsyncGenerator<BackupItem> {
  const before = await readStatus(connection);
  const isRead = (space: Space): boolean => rowlessReason(space) === undefined && wants(space.name);
  const catalog = await readAll(connection, isRead);
  const hasLocal = catalog.spaces.some(
    (space) => isRead(space) && rowsFrom(space, 'snapshot') === 'select',
  );
  const localBefore = hasLocal ? await readLocalLsn(connection) : 0;
  const waited = await findUnconfirmed(connection, catalog);
  const { greeting } = connection;
  yield { kind: 'start', manifest: describeBackup(greeting, catalog, 'select', before.vclock) };
  const counter = new Counter();
  yield* counter.pass(systemBatches(catalog));
  for (const space of catalog.spaces) {
    if (isRead(space)) yield* counter.pass(readSpace(connection, space));
  }
  const unconfirmed = waited ?? (await findUnconfirmed(connection, catalog));
  const after = await readStatus(connection);
  if (after.schemaVersion !== before.schemaVersion) {
    throw new TntarError('failure', 'the schema was changed while the database was read', {
      hint: 'run the dump again, or use --source snapshot, which reads one moment of the database',
    });
  }
  const localAfter = hasLocal ? await readLocalLsn(connection) : 0;
  const isSame = sameVclock(before.vclock, after.vclock);
  const consistent = isSame && localBefore === localAfter && unconfirmed === undefined;
  const { vclock } = after;
  const end: BackupEnd = { kind: 'end', vclock, consistent, unconfirmed, counts: counter.counts };
  yield isSame ? end : { ...end, ...(await movedSequences(connection, catalog)) };
}

/** Returns the definitions, if no definition, row or sequence is hidden from the user. */
async function readAll(
  connection: Connection,
  isRead: (space: Space) => boolean,
): Promise<Catalog> {
  const { catalog, hidden } = await readVisible(connection);
  const filled = catalog.spaces.filter(isRead);
  const hiddenSpaces = await findHidden(connection, filled);
  const values = await readSequenceValues(connection, catalog);
  throwHidden(connection.user, [...hidden, ...hiddenSpaces, ...values.hidden]);
  catalog.replace(SystemSpace.SEQUENCE_DATA, values.rows);
  return renumberCollations(catalog);
}

/** A row that was read may have a number that was not yet given out when the sequences were read. */
async function movedSequences(
  connection: Connection,
  catalog: Catalog,
): Promise<Pick<BackupEnd, 'sequences'>> {
  const { id, value } = Field.sequenceData;
  const known = new Set(
    catalog.rows(SystemSpace.SEQUENCE_DATA).map(({ raw }) => raw.toString('hex')),
  );
  const { rows, hidden } = await readSequenceValues(connection, catalog);
  throwHidden(connection.user, hidden);
  const sequences = rows
    .filter((raw) => !known.has(raw.toString('hex')))
    .map((raw) => decode(raw) as Value[])
    .map((fields) => ({ id: Number(fields[id]), value: String(fields[value]) }));
  return sequences.length === 0 ? {} : { sequences };
}

/** Options for reading a server as items. */
export interface ServerSourceOptions {
  /** False for spaces whose rows are not needed. A snapshot still has them, except those local to the instance. */
  wants?: (space: string) => boolean;
  /** Destroys the stream, and closes the connection. */
  signal?: AbortSignal;
}

/** The values of these options. */
export const SERVER_SOURCE: Kinds<ServerSourceOptions> = { wants: aFunction, signal: aSignal };

/**
 * Returns the whole database by selects of pages in the order of keys: for users who may read every space but not
 * the universe, for servers without a read view, and faster on 2.x. The rows are from one moment only if nobody wrote
 * during the reading, which the vclocks at both ends show, and if no synchronous transaction waited for its quorum:
 * then the end is `consistent`.
 *
 * @param connection - must not be used for anything else until then; closed if the stream is destroyed before its end
 * @returns a stream in object mode; its error is a TntarError: of kind `access`, before the first item,
 *   that names everything the user may not read; of kind `failure` if the connection is lost, or if the
 *   schema is changed during the reading
 * @example
 * const rows = selectSource(connection, { wants: (space) => !space.endsWith('_log') });
 * await pipeline(rows, archiveSink(), createWriteStream('backup.tar.zst'));
 */
export function selectSource(
  connection: Connection,
  options: ServerSourceOptions = {},
): ItemReadable {
  checkOptions('selectSource', options, SERVER_SOURCE);
  const { wants = () => true, signal } = options;
  return itemReadable(readBackup(connection, wants), () => connection.close(), signal);
}
