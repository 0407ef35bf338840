import { TntarError } from '../errors.js';
import { quoted, thereAre } from '../report.js';
import type { Catalog, Space } from '../schema/catalog.js';
import { columnsOf, rowsOfSpaces } from '../schema/columns.js';
import { isTable } from '../schema/rows.js';

/** A field of a space's rows as a column of text. */
export interface TextColumn {
  /** Zero-based. */
  fieldNo: number;
  /** That of the format, else the number of the field, from 1. */
  name: string;
  /** In lower case; `any` where nothing says more. */
  type: string;
  isNullable: boolean;
}

/** What the rows of one space look like. */
export interface Layout {
  space: Space;
  catalog: Catalog;
  columns: readonly TextColumn[];
  /** These were asked for; of what else a row has nothing is wanted. */
  isChosen: boolean;
  /** Names tell all fields apart, and those from numbers: a row can be a JSON object. */
  isNamed: boolean;
}

const NUMBER = /^[1-9]\d*$/;

function unnamed(fieldNo: number): TextColumn {
  return { fieldNo, name: String(fieldNo + 1), type: 'any', isNullable: true };
}

function namesOf({ format }: Space): string[] {
  return format.map((field) => String((isTable(field) ? field['name'] : undefined) ?? ''));
}

/** The fields that the format names and that indexes say something of, without a gap. */
function known(catalog: Catalog, space: Space): TextColumn[] {
  const rows = rowsOfSpaces(catalog).get(space.id);
  const described = rows === undefined ? new Map<number, never>() : columnsOf(rows);
  const names = namesOf(space);
  const count = Math.max(names.length, ...[...described.keys()].map((fieldNo) => fieldNo + 1));
  return Array.from({ length: count }, (_, fieldNo): TextColumn => {
    const { type, isNullable } = described.get(fieldNo) ?? unnamed(fieldNo);
    return { fieldNo, name: names[fieldNo] || String(fieldNo + 1), type, isNullable };
  });
}

function pick(columns: readonly TextColumn[], field: string, space: Space): TextColumn {
  const named = columns.find(({ name }) => name === field);
  if (named !== undefined) return named;
  if (NUMBER.test(field)) return columns[Number(field) - 1] ?? unnamed(Number(field) - 1);
  const there = thereAre(namesOf(space));
  throw new TntarError('usage', `space ${quoted(space.name)} has no field ${quoted(field)}`, {
    hint: `${there}; a number from 1 stands for a field, too`,
  });
}

/**
 * What is written of the rows of a space.
 *
 * @param fields - names, or numbers from 1; absent: all
 * @throws TntarError of kind `usage` for a field that the format does not name, and one that is there twice
 */
export function layoutOf(catalog: Catalog, space: Space, fields?: readonly string[]): Layout {
  const all = known(catalog, space);
  const columns = fields === undefined ? all : fields.map((field) => pick(all, field, space));
  const twice = columns.find((column, i) =>
    columns.some((each, j) => j < i && isSame(each, column)),
  );
  if (fields !== undefined && twice !== undefined) {
    throw new TntarError('usage', `field ${quoted(twice.name)} is asked for twice`, {
      hint: 'name each field once, by its name or its number',
    });
  }
  const names = namesOf(space);
  const isNamed =
    names.length > 0 &&
    new Set(names).size === names.length &&
    !names.some((name) => name === '' || NUMBER.test(name));
  return { space, catalog, columns, isChosen: fields !== undefined, isNamed };
}

const isSame = (a: TextColumn, b: TextColumn): boolean => a.fieldNo === b.fieldNo;

/** The same with columns for all fields of the first row, where no fields were chosen. */
export function widened(layout: Layout, count: number): Layout {
  const { columns, isChosen } = layout;
  if (isChosen || count <= columns.length) return layout;
  const more = Array.from({ length: count - columns.length }, (_, i) =>
    unnamed(columns.length + i),
  );
  return { ...layout, columns: [...columns, ...more] };
}
