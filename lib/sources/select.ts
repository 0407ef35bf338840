import { type BackupItem, Counter } from '../archive/items.js';
import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { rowlessReason } from '../schema/catalog.js';
import { readCatalog } from '../server/catalog.js';
import { readSpace } from '../server/paged.js';
import { readLocalLsn, readStatus, sameVclock } from '../server/status.js';
import { describeBackup, rowsFrom, systemBatches } from './description.js';

/**
 * The whole database by key-paged selects: for users who may read every space but not the universe,
 * for servers without a read view, and faster on 2.x. It is a cut of one moment only if nobody wrote
 * meanwhile, which the vclocks at both ends tell.
 *
 * @throws TntarError of kind `access` naming the space that the user may not read
 */
export async function* selectSource(connection: Connection): AsyncGenerator<BackupItem> {
  const before = await readStatus(connection);
  const catalog = await readCatalog(connection);
  const hasLocal = catalog.spaces.some((space) => rowsFrom(space, 'snapshot') === 'select');
  const localBefore = hasLocal ? await readLocalLsn(connection) : 0;
  const { greeting } = connection;
  yield { kind: 'start', manifest: describeBackup(greeting, catalog, 'select', before.vclock) };
  const counter = new Counter();
  yield* counter.pass(systemBatches(catalog));
  for (const space of catalog.spaces) {
    if (rowlessReason(space) !== undefined) continue;
    yield* counter.pass(readSpace(connection, space));
  }
  const after = await readStatus(connection);
  if (after.schemaVersion !== before.schemaVersion) {
    throw new TntarError('failure', 'the schema was changed while the database was read', {
      hint: 'run the dump again, or read it with --source snapshot, which no change can touch',
    });
  }
  const localAfter = hasLocal ? await readLocalLsn(connection) : 0;
  const consistent = sameVclock(before.vclock, after.vclock) && localBefore === localAfter;
  yield { kind: 'end', vclock: after.vclock, consistent, counts: counter.counts };
}
