import { quoted } from '../../base/report.js';
import { type Catalog, type Space, type SystemRow, spaceNames } from '../catalog/catalog.js';
import { isTable, tableOf } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/** Returns the reason why an index cannot be in vinyl; undefined if it can. */
function indexMisfit({ fields }: SystemRow): string | undefined {
  const type = String(fields[Field.index.type]).toLowerCase();
  const { func } = tableOf(fields[Field.index.options]);
  if (type !== 'tree') return `its type is ${type}`;
  // 0 means none.
  return Number(func ?? 0) === 0 ? undefined : 'it is functional';
}

function spaceMisfits({ name, format, isTemporary }: Space): string[] {
  const isCompressed = format.some(
    (field) => isTable(field) && (field['compression'] ?? 'none') !== 'none',
  );
  return [
    ...(isTemporary ? [`space ${quoted(name)}: it is temporary`] : []),
    ...(isCompressed ? [`space ${quoted(name)}: it has compressed fields`] : []),
  ];
}

/**
 * Lists the features of vinyl spaces that vinyl cannot hold, one line each. A server never has such spaces, but a
 * changed backup may.
 *
 * Source: `vinyl_engine_check_space_def()` and `vinyl_space_check_index_def()` in the server's
 * `src/box/vinyl.c`, without what memtx refuses as well, and without hints, which are left out.
 *
 * @example
 * vinylMisfits(catalog); // ["index 'by_name' of space 'users': its type is hash"]
 */
export function vinylMisfits(catalog: Catalog): string[] {
  const spaces = catalog.spaces.filter(({ engine }) => engine === 'vinyl');
  const names = spaceNames(spaces);
  const indexes = catalog.rows(SystemSpace.INDEX).flatMap((row) => {
    const space = names.get(Number(row.fields[Field.index.spaceId]));
    const why = space === undefined ? undefined : indexMisfit(row);
    const index = quoted(row.fields[Field.index.name]);
    return why === undefined ? [] : [`index ${index} of space ${quoted(space)}: ${why}`];
  });
  return [...spaces.flatMap(spaceMisfits), ...indexes];
}
