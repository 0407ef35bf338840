import { quoted } from '../base/report.js';
import { type Catalog, type Space, type SystemRow, spaceNames } from '../schema/catalog/catalog.js';
import { Field, SystemSpace } from '../schema/server/system-spaces.js';
import type { TableLimits } from './limits.js';

/** The name that PostgreSQL gives to a primary key. */
const PRIMARY = 'pkey';

/** Cuts a name to a number of bytes of UTF-8, without cutting a character. */
function cut(name: string, bytes: number): string {
  const encoded = Buffer.from(name);
  if (encoded.length <= bytes) return name;
  let end = bytes;
  while ((encoded[end]! & 0xc0) === 0x80) end--;
  return encoded.toString('utf8', 0, end);
}

/**
 * Returns names for the indexes of all spaces, each with the name of its table: in a database, tables and indexes
 * share one set of names. So a space that is loaded later never finds its name taken.
 *
 * @returns names by the rows of `_index`
 */
export function indexNames(
  catalog: Catalog,
  { fold, nameBytes }: TableLimits,
): ReadonlyMap<SystemRow, string> {
  const taken = new Set(catalog.spaces.map(({ name }) => fold(name)));
  /** The last number that was added to each name, so that none is tried twice. */
  const numbers = new Map<string, number>();
  const tables = spaceNames(catalog.spaces);
  const names = new Map<SystemRow, string>();
  for (const row of catalog.rows(SystemSpace.INDEX)) {
    const { fields } = row;
    const table = tables.get(Number(fields[Field.index.spaceId]));
    if (table === undefined) continue;
    const own = fields[Field.index.id] === 0 ? PRIMARY : String(fields[Field.index.name]);
    const wanted = cut(`${table}_${own}`, nameBytes);
    let name = wanted;
    for (let i = numbers.get(wanted) ?? 2; taken.has(fold(name)); i++) {
      name = `${cut(wanted, nameBytes - 1 - String(i).length)}_${i}`;
      numbers.set(wanted, i + 1);
    }
    taken.add(fold(name));
    names.set(row, name);
  }
  return names;
}

/** Lists other spaces that would be the same table in a database. */
export function sameTables(catalog: Catalog, space: Space, limits: TableLimits): string[] {
  const { fold, database } = limits;
  const others = catalog.spaces.filter(
    ({ id, name }) => id !== space.id && fold(name) === fold(space.name),
  );
  return others.map(
    ({ name }) => `${database} treats ${quoted(name)} and ${quoted(space.name)} as the same table`,
  );
}
