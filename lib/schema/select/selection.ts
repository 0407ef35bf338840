import type { Omission } from '../../backup/manifest.js';
import { quoted } from '../../base/report.js';
import { decode } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { Catalog, type SystemRow, spaceNames } from '../catalog/catalog.js';
import { eventsOf, spaceEventOf } from '../catalog/event-triggers.js';
import { sequenceOf, sequencesOfOnly, spaceOf } from '../catalog/ownership.js';
import type { Head } from '../catalog/preamble.js';
import { editField, functionsOf, isTable, spaceIdOf, spaceNameOf } from '../catalog/rows.js';
import { isView } from '../describe/describe.js';
import { LAST_SHIPPED_COLLATION } from '../server/builtin.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { sortViews, sqlOf } from '../sql/dialect.js';
import { identifiersOf } from '../sql/tokens.js';

/** A part of a database. */
export interface Selection {
  /** The manifest still lists all spaces. The catalog has the selected ones. */
  head: Head;
  /** Parts of the selected spaces that cannot exist without the other spaces. */
  lost: Omission[];
}

/** Returns the tables that the SQL in a row uses. */
function tablesIn(row: SystemRow, fieldNo: number): Set<string> {
  return identifiersOf(sqlOf(row, fieldNo) ?? '');
}

/** Adds the views that read a removed space, and the views that read those. */
function withViews(gone: Set<number>, catalog: Catalog, lost: Omission[]): void {
  const rows = catalog.rows(SystemSpace.SPACE);
  const names = new Map(rows.map((row) => [spaceNameOf(row), spaceIdOf(row)]));
  // Each view comes after the views that it reads.
  for (const view of sortViews(rows.filter(({ fields }) => isView(fields)))) {
    if (gone.has(spaceIdOf(view))) continue;
    const missing = [...tablesIn(view, Field.space.flags)].find((name) =>
      gone.has(names.get(name) ?? -1),
    );
    if (missing === undefined) continue;
    gone.add(spaceIdOf(view));
    lost.push({ what: `view ${quoted(spaceNameOf(view))}`, why: `it reads ${quoted(missing)}` });
  }
}

/** Returns a row of `_space` without foreign keys (of 2.11 and newer) that refer to a removed space. */
function withoutForeignKeys(
  row: SystemRow,
  gone: ReadonlyMap<number, string>,
  lost: Omission[],
): SystemRow {
  const drop = (keys: Buffer): Buffer =>
    editMap(keys, (name, value) => {
      const key = decode(value);
      const parent = isTable(key) ? gone.get(Number(key['space'])) : undefined;
      if (parent === undefined) return value;
      lost.push(foreignKey(name, spaceNameOf(row), parent));
      return undefined;
    });
  const inTable = (table: Buffer): Buffer =>
    editMap(table, (key, value) => {
      if (key !== 'foreign_key') return value;
      const left = drop(value);
      // A server accepts no empty map here.
      return left !== value && left[0] === 0x80 ? undefined : left;
    });
  const flagged = editField(row, Field.space.flags, inTable);
  return editField(flagged, Field.space.format, (format) => editArray(format, inTable));
}

function foreignKey(name: unknown, child: string, parent: string): Omission {
  return {
    what: `foreign key ${quoted(name)} of ${quoted(child)}`,
    why: `it refers to ${quoted(parent)}`,
  };
}

/**
 * Returns the database without some of its spaces, and without everything that belongs to them: indexes, constraints,
 * triggers, grants, and sequences of their own.
 *
 * @param isKept - called with each space and view
 * @example
 * const { head, lost } = withoutSpaces(whole, ({ name }) => name !== 'log');
 */
export function withoutSpaces(
  { manifest, catalog }: Head,
  isKept: (space: { id: number; name: string }) => boolean,
): Selection {
  const lost: Omission[] = [];
  const gone = new Set(catalog.spaces.filter((space) => !isKept(space)).map(({ id }) => id));
  withViews(gone, catalog, lost);
  const names = spaceNames(catalog.spaces);
  const goneById = new Map([...names].filter(([id]) => gone.has(id)));
  const goneNames = new Set(goneById.values());
  const sequences = sequencesOfOnly(catalog.rows(SystemSpace.SPACE_SEQUENCE), gone);

  const stays = (spaceId: number, row: SystemRow): boolean => {
    const { fields } = row;
    if (gone.has(spaceOf(spaceId, row) ?? -1)) return false;
    if (sequences.has(sequenceOf(spaceId, row) ?? -1)) return false;
    switch (spaceId) {
      case SystemSpace.FK_CONSTRAINT: {
        const { name, childId, parentId } = Field.fkConstraint;
        const parent = goneById.get(Number(fields[parentId]));
        if (parent === undefined) return true;
        lost.push(foreignKey(fields[name], names.get(Number(fields[childId])) ?? '', parent));
        return false;
      }
      case SystemSpace.TRIGGER: {
        const named = [...tablesIn(row, Field.trigger.options)];
        const missing = named.find((name) => goneNames.has(name));
        if (missing === undefined) return true;
        lost.push({
          what: `trigger ${quoted(fields[Field.trigger.name])}`,
          why: `its SQL names ${quoted(missing)}`,
        });
        return false;
      }
      default:
        return true;
    }
  };
  const selected = Catalog.of((spaceId) => {
    const rows = catalog.userRows(spaceId).filter((row) => stays(spaceId, row));
    if (spaceId !== SystemSpace.SPACE) return rows;
    return rows.map((row) => withoutForeignKeys(row, goneById, lost));
  });
  return { head: { manifest, catalog: selected }, lost };
}

/** Returns the ids under `collation`, in fields and in parts of keys. */
function collationsIn(value: unknown): unknown[] {
  const tables = Array.isArray(value) ? value.filter(isTable) : [];
  return tables.map((table) => table['collation']);
}

/**
 * Returns the ids of the spaces with a field or a key that has a collation of a user.
 *
 * @example
 * collatedSpaces(catalog).has(512);
 */
export function collatedSpaces(catalog: Catalog): Set<number> {
  const users = (value: unknown): boolean =>
    collationsIn(value).some((id) => Number(id) > LAST_SHIPPED_COLLATION);
  const ids = (spaceId: number, place: number): number[] =>
    catalog
      .rows(spaceId)
      .filter(({ fields }) => users(fields[place]))
      .map(({ fields }) => Number(fields[0]));
  return new Set([
    ...ids(SystemSpace.SPACE, Field.space.format),
    ...ids(SystemSpace.INDEX, Field.index.parts),
  ]);
}

/** Returns the functions and collations that the spaces of a catalog use, by id or in SQL. */
function needs(catalog: Catalog): { functions: Set<unknown>; collations: Set<unknown> } {
  const rows = (spaceId: number): readonly SystemRow[] => catalog.rows(spaceId);
  const spaces = rows(SystemSpace.SPACE);
  const named = new Set<unknown>([...spaces.map(spaceIdOf), ...spaces.map(spaceNameOf)]);
  const indexes = rows(SystemSpace.INDEX);
  const sql = new Set([
    ...spaces.flatMap((row) => [...tablesIn(row, Field.space.flags)]),
    ...rows(SystemSpace.TRIGGER).flatMap((row) => [...tablesIn(row, Field.trigger.options)]),
    ...rows(SystemSpace.CK_CONSTRAINT).flatMap(({ fields }) => [
      ...identifiersOf(String(fields[Field.ckConstraint.code])),
    ]),
  ]);
  const isCalled = (row: SystemRow): boolean =>
    sql.has(String(row.fields[Field.func.name])) ||
    eventsOf(row).some((event) => named.has(spaceEventOf(event)?.space));
  return {
    functions: new Set([
      ...spaces.flatMap(functionsOf),
      ...rows(SystemSpace.FUNC_INDEX).map(({ fields }) => fields[Field.funcIndex.functionId]),
      ...indexes.map(({ fields }) => {
        const options = fields[Field.index.options];
        return isTable(options) ? options['func'] : undefined;
      }),
      ...rows(SystemSpace.FUNC)
        .filter(isCalled)
        .map(({ fields }) => fields[Field.func.id]),
    ]),
    collations: new Set([
      ...spaces.flatMap(({ fields }) => collationsIn(fields[Field.space.format])),
      ...indexes.flatMap(({ fields }) => collationsIn(fields[Field.index.parts])),
    ]),
  };
}

/** System spaces that do not belong to a single space. */
const OF_THE_WHOLE: ReadonlySet<number> = new Set([
  SystemSpace.SCHEMA,
  SystemSpace.USER,
  SystemSpace.PRIV,
]);

/**
 * Returns some spaces and everything that they need: their sequences, functions and collations. Users, roles, grants
 * and marks belong to the whole database, and are left out.
 *
 * @param isKept - called with each space and view
 * @example
 * const { head } = onlySpaces(whole, ({ name }) => name.startsWith('app_'));
 */
export function onlySpaces(
  whole: Head,
  isKept: (space: { id: number; name: string }) => boolean,
): Selection {
  const { head, lost } = withoutSpaces(whole, isKept);
  const { catalog } = head;
  const { functions, collations } = needs(catalog);
  const sequences = new Set(
    catalog
      .rows(SystemSpace.SPACE_SEQUENCE)
      .map(({ fields }) => fields[Field.spaceSequence.sequenceId]),
  );
  const isNeeded = (spaceId: number, { fields }: SystemRow): boolean => {
    if (OF_THE_WHOLE.has(spaceId)) return false;
    if (spaceId === SystemSpace.FUNC) return functions.has(fields[Field.func.id]);
    if (spaceId === SystemSpace.COLLATION) {
      const id = fields[Field.collation.id];
      return Number(id) <= LAST_SHIPPED_COLLATION || collations.has(id);
    }
    if (spaceId !== SystemSpace.SEQUENCE && spaceId !== SystemSpace.SEQUENCE_DATA) return true;
    return sequences.has(fields[0]);
  };
  const needed = Catalog.of((spaceId) =>
    catalog.rows(spaceId).filter((row) => isNeeded(spaceId, row)),
  );
  return { head: { manifest: { ...head.manifest, revoked: [] }, catalog: needed }, lost };
}
