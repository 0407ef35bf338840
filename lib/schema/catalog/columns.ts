import type { Value } from '../../tuple/codec.js';
import { fitOf } from '../server/field-types.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import type { Catalog, SystemRow } from './catalog.js';
import { isTable } from './rows.js';

/** The type and the constraints of one field, from the format and the indexes of its space. */
export interface Column {
  /** For messages, e.g. `field 2 'price'`. */
  what: string;
  /** In lower case. */
  type: string;
  /** True if it may be null or missing. */
  isNullable: boolean;
  hasDefault: boolean;
}

/** A part of a key that covers a whole field. */
interface WholePart {
  fieldNo: number;
  type: string;
  isNullable: boolean;
}

function typeOf(type: Value | undefined): string {
  return typeof type === 'string' ? type.toLowerCase() : 'any';
}

/** Returns the parts that cover whole fields. In spaces that 1.x created, a part is `[field, type]`. */
function wholeParts({ fields }: SystemRow): WholePart[] {
  const { options, parts } = Field.index;
  const given = fields[options];
  // The parts of a functional index describe the result of its function.
  if (!Array.isArray(fields[parts]) || (isTable(given) && given['func'] !== undefined)) return [];
  return fields[parts].flatMap((part) => {
    if (Array.isArray(part)) {
      return { fieldNo: Number(part[0]), type: typeOf(part[1]), isNullable: false };
    }
    if (!isTable(part) || part['path'] !== undefined) return [];
    const { field, type, is_nullable } = part;
    return { fieldNo: Number(field), type: typeOf(type), isNullable: is_nullable === true };
  });
}

/** The rows of a catalog that define one space. */
export interface SpaceRows {
  /** Its row of `_space`. */
  fields: SystemRow['fields'];
  /** Its rows of `_index`. */
  indexes: SystemRow[];
}

/** Returns the definitions of all spaces by id. They are collected once, because there may be thousands. */
export function rowsOfSpaces(catalog: Catalog): ReadonlyMap<number, SpaceRows> {
  const spaces = new Map<number, SpaceRows>();
  for (const { fields } of catalog.rows(SystemSpace.SPACE)) {
    spaces.set(Number(fields[Field.space.id]), { fields, indexes: [] });
  }
  for (const row of catalog.rows(SystemSpace.INDEX)) {
    spaces.get(Number(row.fields[Field.index.spaceId]))?.indexes.push(row);
  }
  return spaces;
}

/** Returns the known fields of a space's rows, by their number from 0. */
export function columnsOf({ fields, indexes }: SpaceRows): Map<number, Column> {
  const format = fields[Field.space.format];
  const columns = new Map<number, Column>();
  for (const [fieldNo, field] of (Array.isArray(format) ? format : []).entries()) {
    if (!isTable(field)) continue;
    columns.set(fieldNo, {
      what: `field ${fieldNo + 1} '${field['name']}'`,
      type: typeOf(field['type']),
      isNullable: field['is_nullable'] === true,
      hasDefault: field['default'] !== undefined || field['default_func'] !== undefined,
    });
  }
  for (const { fieldNo, type, isNullable } of indexes.flatMap(wholeParts)) {
    const column = columns.get(fieldNo);
    columns.set(fieldNo, {
      what: column?.what ?? `field ${fieldNo + 1}`,
      // The narrower type of the two.
      type: column === undefined || fitOf(type, column.type) === 'all' ? type : column.type,
      isNullable: isNullable && (column?.isNullable ?? true),
      hasDefault: column?.hasDefault ?? false,
    });
  }
  return columns;
}
