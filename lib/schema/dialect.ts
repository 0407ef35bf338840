import { decode } from '../tuple/codec.js';
import { editMap } from '../tuple/edit.js';
import { str } from '../tuple/msgpack.js';
import type { SystemRow } from './catalog.js';
import { CASE_SENSITIVE, isOlder, type Release } from './release.js';
import { editField, isTable } from './rows.js';
import { identifiersOf, quoteIdentifiers } from './sql.js';
import { Field, SystemSpace } from './system.js';

/** The SQL text of a view or a trigger; undefined where the row has none. */
export function sqlOf(row: SystemRow, fieldNo: number): string | undefined {
  const options = row.fields[fieldNo];
  const sql = isTable(options) ? options['sql'] : undefined;
  return typeof sql === 'string' ? sql : undefined;
}

function quoteText(raw: Buffer): Buffer {
  const sql = decode(raw);
  if (typeof sql !== 'string') return raw;
  const quoted = quoteIdentifiers(sql);
  return quoted === sql ? raw : str(quoted);
}

function quoteOption(row: SystemRow, fieldNo: number): SystemRow {
  return editField(row, fieldNo, (options) =>
    editMap(options, (key, value) => (key === 'sql' ? quoteText(value) : value)),
  );
}

/** The row with its SQL, if it has any, in the dialect of the target. */
export function toDialect(
  spaceId: number,
  row: SystemRow,
  source: Release,
  target: Release,
): SystemRow {
  if (!isOlder(source, CASE_SENSITIVE) || isOlder(target, CASE_SENSITIVE)) return row;
  switch (spaceId) {
    case SystemSpace.SPACE:
      return quoteOption(row, Field.space.flags);
    case SystemSpace.TRIGGER:
      return quoteOption(row, Field.trigger.options);
    case SystemSpace.CK_CONSTRAINT:
      return editField(row, Field.ckConstraint.code, quoteText);
    default:
      return row;
  }
}

/** Views in an order in which each comes after those that it selects from. */
export function sortViews(views: readonly SystemRow[]): SystemRow[] {
  const nameOf = (row: SystemRow): string => String(row.fields[Field.space.name]);
  const byName = new Map(views.map((view) => [nameOf(view), view]));
  const sorted = new Set<SystemRow>();
  const visit = (view: SystemRow, above: ReadonlySet<SystemRow>): void => {
    if (sorted.has(view) || above.has(view)) return;
    const path = new Set([...above, view]);
    for (const name of identifiersOf(sqlOf(view, Field.space.flags) ?? '')) {
      const other = byName.get(name);
      if (other !== undefined && other !== view) visit(other, path);
    }
    sorted.add(view);
  };
  for (const view of views) visit(view, new Set());
  return [...sorted];
}
