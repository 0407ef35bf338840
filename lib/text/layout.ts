import { TntarError } from '../base/errors.js';
import { quoted, thereAre } from '../base/report.js';
import type { Catalog, Space } from '../schema/catalog/catalog.js';
import { columnsOf, rowsOfSpaces } from '../schema/catalog/columns.js';
import { isTable } from '../schema/catalog/rows.js';
import { Unrepresentable } from './unrepresentable.js';

/** A field as a column of text. */
export interface TextColumn {
  /** Zero-based. */
  fieldNo: number;
  /** The name in the format; otherwise the number of the field, from 1. */
  name: string;
  /** The type in lower case; `any` if it is unknown. */
  type: string;
  isNullable: boolean;
}

/** The columns of the rows of one space. */
export interface Layout {
  space: Space;
  catalog: Catalog;
  columns: readonly TextColumn[];
  /** The number of known fields. If there are too many, only the first ones have a column. */
  width: number;
  /** True if the user chose the fields; other fields are left out. */
  isChosen: boolean;
  /** True if the names distinguish all fields from each other and from numbers, so that a row can be a JSON object. */
  isNamed: boolean;
}

const NUMBER = /^[1-9]\d{0,9}$/;

/**
 * The limit of columns for fields without a name: an index may be on field 100,000,000, and a row may have as many
 * fields. No table has so many columns.
 */
export const MAX_UNNAMED = 10_000;

/**
 * Returns the number of a field, from 1, as its name; another name if the format has that name for a different field.
 */
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

/** Types of fields that may be null without being declared nullable; 1.x had `*`. */
const ANY: readonly string[] = ['any', '*'];

/** The known fields of a space. */
class Fields {
  readonly names: readonly string[];
  /** The number of fields with a name or an index. */
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

  /** Returns the columns of the first `count` fields, up to the limit. */
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
 * Returns the layout of the rows of a space.
 *
 * @param fields - names, or numbers from 1; all fields by default
 * @throws TntarError of kind `usage` for a field that the format does not have, and for a field that is named twice
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

/** Returns the layout with columns for all fields of the first row, unless the user chose fields. */
export function widened(layout: Layout, count: number): Layout {
  const { space, catalog, width, isChosen } = layout;
  if (isChosen || count <= width) return layout;
  return { ...layout, columns: new Fields(catalog, space).columns(count), width: count };
}

/**
 * Checks the number of columns.
 *
 * @throws Unrepresentable if a known field has no column
 */
export function checkColumns({ columns, width }: Layout): void {
  if (width <= columns.length) return;
  throw new Unrepresentable(
    `there are ${width} fields, and the limit is ${columns.length} columns`,
    'choose fields by name or number, e.g. --fields 1,2,3',
  );
}
