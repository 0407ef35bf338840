import { type Column, columnsOf, type SpaceRows } from '../catalog/columns.js';
import { fitOf } from '../server/field-types.js';
import { Field } from '../server/system-spaces.js';

/** The reasons why rows may not fit into a space. */
export interface Incompatibility {
  /** Reasons for all rows. */
  never: string[];
  /** Reasons for some rows, which depend on their values. */
  maybe: string[];
}

/** Compares the numbers of fields that rows must have. */
function compareCounts(
  count: number,
  wanted: number,
  columns: ReadonlyMap<number, Column>,
): Incompatibility {
  if (wanted === 0 || wanted === count) return { never: [], maybe: [] };
  if (count > 0) {
    return {
      never: [`its rows have ${count} fields, and the target requires ${wanted}`],
      maybe: [],
    };
  }
  const required = [...columns].filter(([, { isNullable }]) => !isNullable);
  const least = Math.max(0, ...required.map(([fieldNo]) => fieldNo + 1));
  return least > wanted
    ? {
        never: [`its rows have ${least} fields or more, and the target requires ${wanted}`],
        maybe: [],
      }
    : { never: [], maybe: [`the target requires rows of ${wanted} fields`] };
}

/** @param isMissing - true if no row can have the field */
function compareColumns(from: Column | undefined, to: Column, isMissing: boolean): Incompatibility {
  const isFilled = from !== undefined && !from.isNullable;
  if (isMissing) {
    return to.isNullable || to.hasDefault
      ? { never: [], maybe: [] }
      : { never: [`${to.what} is required on the target`], maybe: [] };
  }
  const maybe = isFilled || to.isNullable ? [] : [`${to.what} must not be null on the target`];
  const fit = from === undefined ? 'all' : fitOf(from.type, to.type);
  if (fit === 'all') return { never: [], maybe };
  const differs = `${to.what} is ${from!.type} in the backup and ${to.type} on the target`;
  return fit === 'none' && isFilled
    ? { never: [differs], maybe: [] }
    : { never: [], maybe: [...maybe, differs] };
}

/** Returns true if a default may change rows, which stops the restore. */
function fillsRows(from: Column | undefined, to: Column): boolean {
  return to.hasDefault && (from === undefined || from.isNullable);
}

/**
 * Compares a space of a backup with the target's space that gets its rows.
 *
 * @param hasDefaults - true if the target fills rows with the defaults of its fields
 */
export function incompatibilityOf(
  from: SpaceRows,
  to: SpaceRows,
  hasDefaults: boolean,
): Incompatibility {
  const { fieldCount } = Field.space;
  const count = Number(from.fields[fieldCount]);
  const columns = columnsOf(from);
  const misfits = [compareCounts(count, Number(to.fields[fieldCount]), columns)];
  for (const [fieldNo, wanted] of columnsOf(to)) {
    const column = { ...wanted, hasDefault: wanted.hasDefault && hasDefaults };
    const known = columns.get(fieldNo);
    misfits.push(compareColumns(known, column, count > 0 && fieldNo >= count));
    if (fillsRows(known, column)) {
      const line = `${column.what} has a default on the target, and a row that the default would change stops the restore`;
      misfits.push({ never: [], maybe: [line] });
    }
  }
  return {
    never: misfits.flatMap(({ never }) => never),
    maybe: misfits.flatMap(({ maybe }) => maybe),
  };
}
