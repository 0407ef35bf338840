import { Catalog, type SystemRow } from '../schema/catalog/catalog.js';
import { editField, isTable, withoutChecks, withoutKeys } from '../schema/catalog/rows.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import { editArray } from '../tuple/edit.js';
import type { Rewrite } from './rewrite.js';

/** Ids of collations: they order rows, and keep none out. */
function withoutCollations(row: SystemRow, fieldNo: number): SystemRow {
  return editField(row, fieldNo, (list) =>
    editArray(list, (each) => withoutKeys(each, ['collation'])),
  );
}

/** The keys of a functional index are about what its function returns; 0 stands for none. */
function isFunctional({ fields }: SystemRow): boolean {
  const options = fields[Field.index.options];
  return isTable(options) && Number(options['func'] ?? 0) !== 0;
}

/** What has to be known of rows to put them into spaces that are there, and of what counts them. */
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
 * Keeps rows, and of definitions what tells where they go: names, fields and keys of spaces, and
 * sequences with their values. No users, grants and code: a restore can fill spaces with it, and make none.
 *
 * @example
 * await dump(server, output, { rewrites: [dataOnly()] });
 */
export function dataOnly(): Rewrite {
  return {
    partial: 'rows only',
    wants: () => true,
    head: ({ manifest, catalog }) => ({
      head: { manifest: { ...manifest, only: 'data', revoked: [] }, catalog: keptRows(catalog) },
    }),
  };
}
