import type { TupleBatch } from '../../backup/batch.js';
import type { Manifest } from '../../backup/manifest.js';
import { Field, SYSTEM_SPACE_NAMES, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';

/** The manifest and the definitions of a backup, which come before the first row of a user's space. */
export interface Head {
  manifest: Manifest;
  /** The rows of its system spaces that users created. */
  catalog: Catalog;
}

/** Sorts the values of sequences by id: a read view has them in the order of a hash. */
function inOrder(spaceId: number, rows: readonly SystemRow[]): readonly SystemRow[] {
  if (spaceId !== SystemSpace.SEQUENCE_DATA) return rows;
  const idOf = ({ fields }: SystemRow): number => Number(fields[Field.sequenceData.id]);
  return [...rows].sort((a, b) => idOf(a) - idOf(b));
}

/** Yields the rows of system spaces that users created, one batch for each space, ascending by id. */
export function* systemBatches(catalog: Catalog): Generator<TupleBatch> {
  for (const [id, name] of SYSTEM_SPACE_NAMES) {
    const rows = inOrder(id, catalog.userRows(id));
    if (rows.length === 0) continue;
    const bytes = Buffer.concat(rows.map(({ raw }) => raw));
    yield { kind: 'tuples', space: { id, name, engine: 'memtx' }, count: rows.length, bytes };
  }
}
