import type { Connection } from '../iproto/connection.js';
import { Catalog, type KeyPart } from '../schema/catalog/catalog.js';
import { Field, SYSTEM_SPACE_NAMES, SystemSpace } from '../schema/server/system-spaces.js';
import { readPages } from './pages.js';
import { findHidden, type Hidden, throwHidden } from './unreadable.js';

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
    catalog.addAll(id, rows.bytes);
    rows.release();
  }
}

/** Returns the rows of the system spaces that the user may read. */
export interface Visible {
  /** Without the values of sequences, which no select tells; see `sequence-values.ts`. */
  catalog: Catalog;
  /** System spaces that the user may not read. */
  hidden: Hidden[];
}

/** Reads by select what there is to read. */
export async function readVisible(connection: Connection): Promise<Visible> {
  const catalog = new Catalog();
  const systemSpaces = [...SYSTEM_SPACE_NAMES]
    .filter(([id]) => id !== SystemSpace.SEQUENCE_DATA)
    .map(([id, name]) => ({ id, name }));
  const hidden = await findHidden(connection, systemSpaces);
  const isHidden = (id: number): boolean => hidden.some(({ spaceId }) => spaceId === id);
  if (isHidden(SystemSpace.INDEX)) return { catalog, hidden };
  await readSystemSpace(connection, catalog, SystemSpace.INDEX, INDEX_KEY);
  for (const { id } of systemSpaces) {
    const primaryKey = catalog.primaryKeyOf(id);
    if (id === SystemSpace.INDEX || primaryKey === undefined || isHidden(id)) continue;
    await readSystemSpace(connection, catalog, id, primaryKey.parts);
  }
  return { catalog, hidden };
}

/**
 * Reads all system spaces except the values of sequences, by select.
 *
 * @throws TntarError of kind `access` naming all system spaces that the user may not read
 */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const { catalog, hidden } = await readVisible(connection);
  throwHidden(connection.user, hidden);
  return catalog;
}
