import type { TupleBatch } from '../backup/batch.js';
import { sameVclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import { inTurns } from '../base/turns.js';
import type { Connection } from '../iproto/connection.js';
import { Iterator } from '../iproto/constants.js';
import { readItems } from '../iproto/inflow.js';
import { select, toPacket } from '../iproto/requests.js';
import { type Rows, RowsReader } from '../iproto/select-reader.js';
import type { KeyPart, Space } from '../schema/catalog/catalog.js';
import { extractKeyInTurns, showKey } from '../schema/catalog/keys.js';
import { joinFields } from '../tuple/fields.js';
import { readLocalLsn, readStatus } from './status.js';

/** The facts about a space that reading by pages needs. */
export interface PagedSpace {
  id: number;
  name: string;
  primaryKey: { parts: readonly KeyPart[]; type: string };
  /** Its writes are counted apart from those that are replicated. */
  isLocal?: boolean;
}

/** Returns a function that tells whether the schema was changed since. */
async function watchWrites(
  connection: Connection,
  isLocal: boolean,
): Promise<() => Promise<boolean>> {
  if (isLocal) {
    const before = await readLocalLsn(connection);
    return async () => before !== (await readLocalLsn(connection));
  }
  const before = (await readStatus(connection)).vclock;
  return async () => !sameVclock(before, (await readStatus(connection)).vclock);
}

/**
 * The aim for the bytes of a page. A page is requested in rows, so its limit is computed from the bytes so far. The
 * first limit is small, and it grows by no more than {@link MAX_GROWTH} a page, because rows may grow.
 */
const PAGE_BYTES = 1024 * 1024;
const FIRST_LIMIT = 256;
/** The most rows of a page. The server holds a whole page, and the rows may suddenly be large. */
const MAX_LIMIT = 2048;
const MAX_GROWTH = 4;

const EMPTY_KEY = joinFields([]);

function nextLimit(limit: number, rows: number, bytes: number): number {
  const fitting = Math.floor((PAGE_BYTES * rows) / Math.max(1, bytes));
  return Math.max(1, Math.min(fitting, limit * MAX_GROWTH, MAX_LIMIT));
}

/**
 * Reads a space page by page in the order of its primary key. The next page is asked for as soon as
 * the last row of the current one has come, and no page is held whole.
 *
 * The rows are from one moment only if nobody writes during the reading; the caller compares vclocks.
 */
export async function* readPages(connection: Connection, space: PagedSpace): AsyncGenerator<Rows> {
  const where = `space '${space.name}'`;
  const { parts, type } = space.primaryKey;
  const wasWritten =
    type === 'hash' ? await watchWrites(connection, space.isLocal ?? false) : undefined;
  let limit = FIRST_LIMIT;
  let key = EMPTY_KEY;
  const ask = (): void => {
    const iterator = key === EMPTY_KEY ? Iterator.ALL : Iterator.GT;
    const request = select(space.id, 0, iterator, key, limit);
    connection.write(toPacket(request, connection.nextSync()));
  };
  yield* readItems<Rows>(connection, (emit, fail) => {
    const { memory } = connection;
    const reader = new RowsReader(`read ${where}`, memory, (rows) => emit(rows, rows.bytes.length));
    let isAsking = false;
    const goOn = (next: Buffer | undefined): void => {
      key = keyAfter(key, next, where);
      limit = nextLimit(limit, reader.count, reader.bytes);
      ask();
      isAsking = false;
    };
    ask();
    return (chunk) => {
      if (isAsking) throw unasked(where);
      if (!reader.push(chunk)) return false;
      if (reader.count < limit) {
        reader.flush();
        return true;
      }
      const work = extractKeyInTurns(reader.last, parts);
      const { done, value } = work.next();
      if (done === true) goOn(value);
      else {
        // the key is far within a large row: nothing comes before the next page is asked for
        isAsking = true;
        inTurns(work).then(goOn).catch(fail);
      }
      return false;
    };
  });
  // One page is one moment.
  if (key !== EMPTY_KEY && (await wasWritten?.())) throw unsteady(where);
}

function keyless(where: string): TntarError {
  return new TntarError('failure', `${where}: a tuple without a field of its key`);
}

/** Yields the batches of a user's space; none if the space cannot hold rows. */
export async function* readSpace(
  connection: Connection,
  { id, name, engine, primaryKey, isLocal }: Space,
): AsyncGenerator<TupleBatch> {
  if (primaryKey === undefined) return;
  for await (const rows of readPages(connection, { id, name, primaryKey, isLocal })) {
    yield { kind: 'tuples', space: { id, name, engine }, ...rows };
  }
}

function unasked(where: string): TntarError {
  return new TntarError('failure', `${where}: protocol error: bytes that no request asked for`);
}

/**
 * Checks a key.
 *
 * @param next - of the last tuple of a page, which has to differ from that of the page before
 */
function keyAfter(key: Buffer, next: Buffer | undefined, where: string): Buffer {
  if (next === undefined) throw keyless(where);
  if (next.equals(key)) throw stuck(where, key);
  return next;
}

function stuck(where: string, key: Buffer): TntarError {
  return new TntarError('failure', `${where}: reading does not get past the key ${showKey(key)}`, {
    hint: 'read it with --source snapshot',
  });
}

/**
 * A scan of a hash index loses its place if rows are inserted or deleted: it may miss rows or return some twice,
 * without an error.
 */
function unsteady(where: string): TntarError {
  return new TntarError(
    'failure',
    `${where}: its primary index is a hash, and the database was written to while it was read`,
    { hint: 'read it with --source snapshot, or while nobody writes' },
  );
}
