import { TntarError } from '../base/errors.js';
import { quoted, thereAre } from '../base/report.js';
import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { columnsOf, rowsOfSpaces } from '../schema/catalog/columns.js';
import { isTable } from '../schema/catalog/rows.js';
import { Unfit } from './unrepresentable.js';

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
  /** The fields that are known or were met. Only the first of them have a column where there are too many. */
  width: number;
  /** These were asked for; of what else a row has nothing is wanted. */
  isChosen: boolean;
  /** Names tell all fields apart, and those from numbers: a row can be a JSON object. */
  isNamed: boolean;
}

const NUMBER = /^[1-9]\d{0,9}$/;

/**
 * The most columns for fields that the format does not name: an index may be of field 100,000,000, and a row may
 * have as many fields. No table has so many columns.
 */
export const MAX_UNNAMED = 10_000;

/** The number of a field, from 1, as its name; another name where the format has that name for another field. */
function numberName(fieldNo: number, taken: ReadonlySet<string>): string {
  let name = String(fieldNo + 1);
  if (taken.has(name)) name = `field_${name}`;
  while (taken.has(name)) name += '_';
  return name;
}

function unnamed(fieldNo: number, taken: ReadonlySet<string>): TextColumn {
  return { fieldNo, name: numberName(fieldNo, taken), type: 'any', isNullable: true };
}

function namesOf({ format }: Space): string[] {
  return format.map((field) => String((isTable(field) ? field['name'] : undefined) ?? ''));
}

/** Types of fields that hold null, whether or not they are said to be nullable; 1.x had `*`. */
const ANY: readonly string[] = ['any', '*'];

/** What is known of the fields of a space. */
class Fields {
  readonly names: readonly string[];
  /** The number of fields that have a name or an index. */
  readonly count: number;
  readonly #taken: ReadonlySet<string>;
  readonly #described: ReturnType<typeof columnsOf>;

  constructor(catalog: Catalog, space: Space) {
    const rows = rowsOfSpaces(catalog).get(space.id);
    this.names = namesOf(space);
    this.#taken = new Set(this.names);
    this.#described = rows === undefined ? new Map<number, never>() : columnsOf(rows);
    let count = this.names.length;
    for (const fieldNo of this.#described.keys()) count = Math.max(count, fieldNo + 1);
    this.count = count;
  }

  column(fieldNo: number): TextColumn {
    const other = unnamed(fieldNo, this.#taken);
    const { type, isNullable } = this.#described.get(fieldNo) ?? other;
    const name = this.names[fieldNo] || other.name;
    return { fieldNo, name, type, isNullable: isNullable || ANY.includes(type) };
  }

  /** The first `count` fields, or as many of them as may have a column. */
  columns(count: number): TextColumn[] {
    const length = Math.min(count, this.names.length + MAX_UNNAMED);
    return Array.from({ length }, (_, fieldNo) => this.column(fieldNo));
  }

  pick(field: string, space: Space): TextColumn {
    const named = this.names.indexOf(field);
    if (named >= 0 && field !== '') return this.column(named);
    if (NUMBER.test(field)) return this.column(Number(field) - 1);
    throw new TntarError('usage', `space ${quoted(space.name)} has no field ${quoted(field)}`, {
      hint: `${thereAre(this.names)}; a number from 1 is also accepted`,
    });
  }
}

/**
 * What is written of the rows of a space.
 *
 * @param fields - names, or numbers from 1; absent: all
 * @throws TntarError of kind `usage` for a field that the format does not name, and one that is there twice
 */
export function layoutOf(catalog: Catalog, space: Space, fields?: readonly string[]): Layout {
  const known = new Fields(catalog, space);
  const columns = fields?.map((field) => known.pick(field, space)) ?? known.columns(known.count);
  const seen = new Set<number>();
  for (const { fieldNo, name } of fields === undefined ? [] : columns) {
    if (seen.has(fieldNo)) {
      throw new TntarError('usage', `field ${quoted(name)} is named twice`, {
        hint: 'name each field once, by its name or its number',
      });
    }
    seen.add(fieldNo);
  }
  const { names } = known;
  const isNamed =
    names.length > 0 &&
    new Set(names).size === names.length &&
    !names.some((name) => name === '' || NUMBER.test(name));
  const width = fields === undefined ? known.count : columns.length;
  return { space, catalog, columns, width, isChosen: fields !== undefined, isNamed };
}

/** The same with columns for all fields of the first row, where no fields were chosen. */
export function widened(layout: Layout, count: number): Layout {
  const { space, catalog, width, isChosen } = layout;
  if (isChosen || count <= width) return layout;
  return { ...layout, columns: new Fields(catalog, space).columns(count), width: count };
}

/** @throws Unfit where not every field that is known has a column */
export function checkColumns({ columns, width }: Layout): void {
  if (width <= columns.length) return;
  throw new Unfit(
    `there are ${width} fields, and the limit is ${columns.length} columns`,
    'choose fields by name or number, e.g. --fields 1,2,3',
  );
}
