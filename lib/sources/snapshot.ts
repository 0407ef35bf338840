import type { SpaceInfo, TupleBatch } from '../backup/batch.js';
import { type BackupItem, Counter } from '../backup/item.js';
import type { Vclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { aBoolean, aFunction, checkOptions, type Kinds } from '../base/option-checks.js';
import { type ItemReadable, itemReadable } from '../flow/item-readable.js';
import type { Connection } from '../iproto/connection.js';
import { type ReadViewItem, readView } from '../iproto/snapshot-reader.js';
import { Catalog, type Space } from '../schema/catalog/catalog.js';
import { systemBatches } from '../schema/catalog/preamble.js';
import { renumberCollations } from '../schema/convert/old-collations.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import { greatHangRisk } from '../server/hang-risk.js';
import { readSpace } from '../server/pages.js';
import { findUnconfirmed } from '../server/unconfirmed.js';
import { describeBackup, rowsFrom } from './manifest-from-catalog.js';
import type { Reading } from './origin.js';
import { SERVER_SOURCE, type ServerSourceOptions } from './select.js';

/** The start of a read view: its vclock, and all system spaces, which come first. */
interface Head {
  vclock: Vclock;
  catalog: Catalog;
  /** The first item after the system spaces. */
  next: ReadViewItem;
}

async function readHead(
  items: AsyncGenerator<ReadViewItem>,
  onOpen: (vclock: Vclock) => void,
): Promise<Head> {
  const catalog = new Catalog();
  let vclock: Vclock | undefined;
  for (;;) {
    const { done, value } = await items.next();
    if (done === true) throw new TntarError('failure', 'the snapshot ended before its end');
    if (vclock === undefined) {
      if (value.kind !== 'vclock') throw new TntarError('failure', 'the snapshot has no vclock');
      vclock = value.vclock;
      onOpen(vclock);
    } else if (value.kind === 'vclock' || value.spaceId > SYSTEM_ID_MAX) {
      return { vclock, catalog: renumberCollations(catalog), next: value };
    } else {
      // Copies, because the rows are kept and the block that they came in is not.
      catalog.addAll(value.spaceId, value.bytes);
      value.release();
    }
  }
}

/** Rows of the user's spaces, up to the vclock that ends the read view. */
async function* userBatches(
  items: AsyncGenerator<ReadViewItem>,
  first: ReadViewItem,
  catalog: Catalog,
): AsyncGenerator<TupleBatch> {
  const spaces = new Map(catalog.spaces.map(({ id, name, engine }) => [id, { id, name, engine }]));
  for (let item = first; item.kind === 'rows'; ) {
    const space = spaces.get(item.spaceId);
    if (space === undefined) {
      throw new TntarError('failure', `the snapshot has rows of the unknown space ${item.spaceId}`);
    }
    const { count, bytes, largest, release } = item;
    yield { kind: 'tuples', space, count, bytes, largest, release };
    const { done, value } = await items.next();
    if (done === true) throw new TntarError('failure', 'the snapshot ended before its end');
    item = value;
  }
  await items.next(); // the read view is over: hands the connection back
}

/**
 * Adds to a protocol error the row after which it came. An error of a lost connection already has its position.
 */
async function* placed(
  batches: AsyncGenerator<TupleBatch>,
  connection: Connection,
): AsyncGenerator<TupleBatch> {
  let space: SpaceInfo | undefined;
  let rows = 0;
  try {
    for await (const batch of batches) {
      rows = batch.space === space ? rows + batch.count : batch.count;
      space = batch.space;
      yield batch;
    }
  } catch (error) {
    if (!(error instanceof TntarError) || error === connection.lost) throw error;
    const where = space === undefined ? '' : `, behind ${rows} rows of space '${space.name}'`;
    throw TntarError.wrap(error, { message: `${error.message}${where}` });
  }
}

async function* localBatches(
  connection: Connection,
  spaces: readonly Space[],
): AsyncGenerator<TupleBatch> {
  for (const space of spaces) yield* readSpace(connection, space);
}

/** Options of {@link snapshotSource}. */
export interface SnapshotSourceOptions extends ServerSourceOptions {
  /** Take it even if it can hang the server. Default false. */
  forceSnapshot?: boolean;
  /** Called with the vclock of the read view when it is open: it has no later writes. */
  onOpen?: (vclock: Vclock) => void;
}

const KINDS: Kinds<SnapshotSourceOptions> = {
  ...SERVER_SOURCE,
  forceSnapshot: aBoolean,
  onOpen: aFunction,
};

const HANG_HINT =
  'update the server, read it with --source select, or take the snapshot with --force-snapshot if you know that no tuple is so large';

/** The error of a snapshot that may hang the server. */
export function hangError(why: string): TntarError {
  return new TntarError('usage', why, { hint: HANG_HINT });
}

async function* readBackup(
  connection: Connection,
  wants: Reading['wants'],
  isForced: boolean,
  onOpen: (vclock: Vclock) => void,
): AsyncGenerator<BackupItem> {
  const risk = isForced ? undefined : await greatHangRisk(connection);
  if (risk !== undefined) throw hangError(risk);
  const items = readView(connection);
  const { vclock, catalog, next } = await readHead(items, onOpen);
  yield {
    kind: 'start',
    manifest: describeBackup(connection.greeting, catalog, 'snapshot', vclock),
  };
  const counter = new Counter();
  yield* counter.pass(systemBatches(catalog));
  yield* counter.pass(placed(userBatches(items, next, catalog), connection));
  const local = catalog.spaces.filter(
    (space) => rowsFrom(space, 'snapshot') === 'select' && wants(space.name),
  );
  let unconfirmed = local.length > 0 ? await findUnconfirmed(connection, catalog) : undefined;
  yield* counter.pass(localBatches(connection, local));
  if (local.length > 0) unconfirmed ??= await findUnconfirmed(connection, catalog);
  const consistent = unconfirmed === undefined;
  yield { kind: 'end', vclock, consistent, unconfirmed, counts: counter.counts };
}

/**
 * Returns the whole database in the state of the server's read view: it is consistent during writes, with memtx and
 * vinyl. Spaces that are local to the instance are not in a read view. They are read by select after it, which
 * may read uncommitted rows: then the end is not `consistent`.
 *
 * @param connection - must not be used for anything else until then; closed if the stream is destroyed before its end
 * @returns a stream in object mode; its error is a TntarError: of kind `access` if the user may not
 *   read the universe; with a `serverCode` also if the server has no read view; of kind
 *   `usage` if it may hang the server; of kind `failure` if the connection is lost
 * @example
 * const connection = await Connection.open('db1:3301');
 * await pipeline(snapshotSource(connection), archiveSink(), createWriteStream('backup.tar.zst'));
 * connection.close();
 */
export function snapshotSource(
  connection: Connection,
  options: SnapshotSourceOptions = {},
): ItemReadable {
  checkOptions('snapshotSource', options, KINDS);
  const { wants = () => true, forceSnapshot = false, onOpen = () => {}, signal } = options;
  return itemReadable(
    readBackup(connection, wants, forceSnapshot, onOpen),
    () => connection.close(),
    signal,
  );
}
