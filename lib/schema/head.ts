import type { Manifest } from '../archive/manifest.js';
import type { TupleBatch } from '../tuple/batch.js';
import type { Catalog } from './catalog.js';
import { SYSTEM_SPACE_NAMES } from './system.js';

/** What a backup says of itself before the first row of a user. */
export interface Head {
  manifest: Manifest;
  /** The user's rows of its system spaces. */
  catalog: Catalog;
}

/** What a user made in the system spaces, a batch a space, ascending. */
export function* systemBatches(catalog: Catalog): Generator<TupleBatch> {
  for (const [id, name] of SYSTEM_SPACE_NAMES) {
    const rows = catalog.userRows(id);
    if (rows.length === 0) continue;
    const bytes = Buffer.concat(rows.map(({ raw }) => raw));
    yield { kind: 'tuples', space: { id, name, engine: 'memtx' }, count: rows.length, bytes };
  }
}
