import type { Connection } from '../iproto/connection.js';
import { Catalog, type KeyPart } from '../schema/catalog.js';
import { Field, SYSTEM_SPACE_NAMES, SystemSpace } from '../schema/system.js';
import { eachTuple } from '../tuple/batch.js';
import { readPages } from './paged.js';
import { readSequenceValues } from './sequence-values.js';

/** `_index` is read first, to know the keys of all others: space id and index id. */
const INDEX_KEY: KeyPart[] = [
  { fieldNo: Field.index.spaceId, path: [] },
  { fieldNo: Field.index.id, path: [] },
];

async function readSystemSpace(
  connection: Connection,
  catalog: Catalog,
  id: number,
  parts: KeyPart[],
): Promise<void> {
  const name = SYSTEM_SPACE_NAMES.get(id) ?? String(id);
  const space = { id, name, primaryKey: { parts, type: 'tree' } };
  for await (const rows of readPages(connection, space)) {
    for (const tuple of eachTuple(rows.bytes)) catalog.add(id, Buffer.from(tuple));
    rows.release();
  }
}

/**
 * All that the system spaces say, read by select.
 *
 * @throws TntarError of kind `access` naming the first system space that the user may not read
 */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const catalog = new Catalog();
  await readSystemSpace(connection, catalog, SystemSpace.INDEX, INDEX_KEY);
  for (const id of SYSTEM_SPACE_NAMES.keys()) {
    const primaryKey = catalog.primaryKeyOf(id);
    if (id === SystemSpace.INDEX || primaryKey === undefined) continue;
    await readSystemSpace(connection, catalog, id, primaryKey.parts);
  }
  if (catalog.rows(SystemSpace.SEQUENCE).length > 0) {
    catalog.replace(SystemSpace.SEQUENCE_DATA, await readSequenceValues(connection));
  }
  return catalog;
}
