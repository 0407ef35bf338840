import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { editField, isTable, withoutChecks, withoutKeys } from '../schema/catalog/rows.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { editArray } from '../tuple/edit.js';
import type { Filter } from './filter.js';

/** Removes ids of collations, which order rows and refuse none. */
function withoutCollations(row: SystemRow, fieldNo: number): SystemRow {
  return editField(row, fieldNo, (list) =>
    editArray(list, (each) => withoutKeys(each, ['collation'])),
  );
}

/** Returns true for a functional index, whose keys are those of the function's result; 0 means none. */
function isFunctional({ fields }: SystemRow): boolean {
  const options = fields[Field.index.options];
  return isTable(options) && Number(options['func'] ?? 0) !== 0;
}

/** Returns the definitions that are needed to load rows into existing spaces, and values into sequences. */
function keptRows(catalog: Catalog): Catalog {
  const tables = new Set(catalog.spaces.filter(({ isView }) => !isView).map(({ id }) => id));
  // All three begin with the id of the space.
  const ofTables = (spaceId: number): SystemRow[] =>
    catalog.rows(spaceId).filter(({ fields }) => tables.has(Number(fields[0])));
  return Catalog.of((spaceId) => {
    switch (spaceId) {
      case SystemSpace.SPACE:
        return ofTables(spaceId).map((row) =>
          withoutCollations(withoutChecks(row), Field.space.format),
        );
      case SystemSpace.INDEX:
        return ofTables(spaceId)
          .filter((row) => !isFunctional(row))
          .map((row) => withoutCollations(row, Field.index.parts));
      case SystemSpace.SPACE_SEQUENCE:
        return ofTables(spaceId);
      case SystemSpace.SEQUENCE:
      case SystemSpace.SEQUENCE_DATA:
        return catalog.userRows(spaceId);
      default:
        return [];
    }
  });
}

/**
 * Keeps rows, and the definitions that say where they go: names, fields and keys of spaces, and sequences with their
 * values. Users, grants and code are left out. A restore can load the rows into existing spaces, but not create
 * spaces.
 *
 * @example
 * await dump(server, output, { filters: [dataOnly()] });
 */
export function dataOnly(): Filter {
  return {
    partial: 'rows only',
    wants: () => true,
    head: ({ manifest, catalog }) => ({
      head: { manifest: { ...manifest, only: 'data', revoked: [] }, catalog: keptRows(catalog) },
    }),
  };
}
