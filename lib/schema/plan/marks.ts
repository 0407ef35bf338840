import { quoted } from '../../base/report.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import type { Existing } from './options.js';

/** The marks of a backup in `_schema` that are restored. */
export interface Marks {
  rows: SystemRow[];
  /** One line for each mark that the target has with a different value. */
  omissions: string[];
}

/**
 * Leaves out the marks that the target already has, if existing objects are used: a module on the target wrote them
 * for what it has set up there, such as `vshard_version`. With `error`, no object of the backup exists on the target
 * yet, and its marks are restored with its spaces.
 *
 * @param marks - rows of `_schema` of the backup
 * @example
 * withoutTargetMarks(rows, target, 'skip').rows;
 */
export function withoutTargetMarks(
  marks: readonly SystemRow[],
  target: Catalog,
  existing: Existing,
): Marks {
  if (existing === 'error') return { rows: [...marks], omissions: [] };
  const keyOf = ({ fields }: SystemRow): unknown => fields[Field.schema.key];
  const own = new Map(target.rows(SystemSpace.SCHEMA).map((row) => [keyOf(row), row]));
  const isOther = (row: SystemRow): boolean => own.get(keyOf(row))?.raw.equals(row.raw) === false;
  return {
    rows: marks.filter((row) => !own.has(keyOf(row))),
    omissions: marks
      .filter(isOther)
      .map(
        (row) =>
          `mark ${quoted(keyOf(row))}: it already exists on the target, and the target's is kept`,
      ),
  };
}
