import { groupBy } from '../../base/collections.js';
import { longListOf, quoted } from '../../base/report.js';
import type { Value } from '../../tuple/codec.js';
import { type Catalog, type SystemRow, spaceNames } from '../catalog/catalog.js';
import { foreignKeysOf } from '../catalog/foreign-keys.js';
import type { IdMap } from '../catalog/id-map.js';
import { spaceOf } from '../catalog/ownership.js';
import { isTable } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/** Lists the parts in a row of `_space` that a restore writes after the rows. */
function lateParts({ fields }: SystemRow): string[] {
  const flags = fields[Field.space.flags];
  const format = fields[Field.space.format];
  const constraintsOf = (place: Value | undefined): string[] =>
    isTable(place) && isTable(place['constraint'])
      ? Object.keys(place['constraint']).map((name) => `constraint ${quoted(name)}`)
      : [];
  const columns = (Array.isArray(format) ? format : []).filter(isTable).flatMap((column) => {
    const hasDefault = column['default'] !== undefined || column['default_func'] !== undefined;
    const parts = [...constraintsOf(column), ...(hasDefault ? ['default'] : [])];
    return parts.map((part) => `${part} of field ${quoted(column['name'])}`);
  });
  return [
    ...(isTable(flags) && flags['is_sync'] === true ? ['is_sync'] : []),
    ...constraintsOf(flags),
    ...columns,
    ...foreignKeysOf(fields).map(({ name }) => `foreign key ${quoted(name)}`),
  ];
}

/** System spaces whose rows belong to a space and have a name. */
const NAMED: readonly [what: string, spaceId: number, name: number][] = [
  ['index', SystemSpace.INDEX, Field.index.name],
  ['foreign key', SystemSpace.FK_CONSTRAINT, Field.fkConstraint.name],
  ['check', SystemSpace.CK_CONSTRAINT, Field.ckConstraint.name],
  ['trigger', SystemSpace.TRIGGER, Field.trigger.name],
];

/** Returns the parts of a space in words, by its id. */
function partsOf(catalog: Catalog): (space: number) => string[] {
  const bySpace = (spaceId: number): ((id: number) => SystemRow[]) => {
    const rows = groupBy(catalog.rows(spaceId), (row) => spaceOf(spaceId, row));
    return (id) => rows.get(id) ?? [];
  };
  const named = NAMED.map(([what, spaceId, name]) => ({ what, name, rowsOf: bySpace(spaceId) }));
  const indexes = bySpace(SystemSpace.INDEX);
  const functions = bySpace(SystemSpace.FUNC_INDEX);
  const sequences = bySpace(SystemSpace.SPACE_SEQUENCE);
  const spaces = bySpace(SystemSpace.SPACE);
  const indexName = (id: number, indexId: Value | undefined): string => {
    const index = indexes(id).find(({ fields }) => fields[Field.index.id] === indexId);
    return quoted(index?.fields[Field.index.name]);
  };
  return (id) => [
    ...named.flatMap(({ what, name, rowsOf }) =>
      rowsOf(id).map(({ fields }) => `${what} ${quoted(fields[name])}`),
    ),
    ...functions(id).map(
      ({ fields }) => `the function of index ${indexName(id, fields[Field.funcIndex.indexId])}`,
    ),
    ...(sequences(id).length > 0 ? ['a sequence'] : []),
    ...spaces(id).flatMap(lateParts),
  ];
}

/**
 * Lists the parts of the backup's spaces that are missing from kept spaces of the same name, one line for each space.
 * An interrupted restore may have created these spaces.
 *
 * @param isKept - called with the id of each space of the backup
 */
export function missingParts(
  backup: Catalog,
  target: Catalog,
  ids: IdMap,
  isKept: (id: number) => boolean,
): string[] {
  const [wanted, there] = [partsOf(backup), partsOf(target)];
  return backup.spaces
    .filter(({ id }) => isKept(id))
    .flatMap(({ id, name }) => {
      const has = new Set(there(ids.find('space', id) ?? -1));
      const lacking = wanted(id).filter((part) => !has.has(part));
      return lacking.length === 0
        ? []
        : [
            `space ${quoted(name)} is kept without these parts of the backup: ${longListOf(lacking)}`,
          ];
    });
}

/** Lists foreign keys of new spaces that refer to kept spaces: it is not known whether the rows there satisfy them. */
export function keysToKept(backup: Catalog, isKept: (id: number) => boolean): string[] {
  const names = spaceNames(backup.spaces);
  return backup.rows(SystemSpace.SPACE).flatMap(({ fields }) =>
    foreignKeysOf(fields)
      .filter(({ childId, parentId }) => !isKept(childId) && isKept(parentId))
      .map(({ name, childId, parentId }) => {
        const [child, parent] = [quoted(names.get(childId)), quoted(names.get(parentId))];
        return `foreign key ${quoted(name)} of ${child} refers to ${parent}, which is kept: if an index or rows are missing there, the restore fails after loading the rows`;
      }),
  );
}
