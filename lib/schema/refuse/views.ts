import type { SystemRow } from '../catalog/catalog.js';
import { spaceNameOf } from '../catalog/rows.js';
import { describeObject, isView } from '../describe/describe.js';
import { CASE_SENSITIVE, isOlder, type Release } from '../server/release.js';
import { Field } from '../server/system-spaces.js';
import { sqlOf } from '../sql/dialect.js';
import { tablesOf } from '../sql/seqscan.js';
import { unquote } from '../sql/tokens.js';

/**
 * Finds views that read each other in a circle, so that none of them can be created first. A server accepts a view
 * that reads itself.
 *
 * @param rows - all rows of `_space` that the restore writes
 * @param release - of the server, whose SQL dialect applies
 * @returns one line for each circle that was found
 */
export function viewsInCircles(rows: readonly SystemRow[], release: Release): string[] {
  const views = new Map(
    rows.filter(({ fields }) => isView(fields)).map((row) => [spaceNameOf(row), row]),
  );
  const nameOf = (token: string): string => {
    const upper = token.toUpperCase();
    const asWritten = !isOlder(release, CASE_SENSITIVE) && views.has(token);
    return unquote(token) ?? (asWritten ? token : upper);
  };
  const readBy = (row: SystemRow): string[] =>
    tablesOf(sqlOf(row, Field.space.flags) ?? '').map(nameOf);
  const done = new Set<SystemRow>();
  const circles: string[] = [];
  for (const first of views.values()) {
    // The views on the current path, each with its tables that are left to visit. Not recursive: a chain may be
    // longer than the stack.
    const under: { row: SystemRow; tables: string[] }[] = [];
    const open = new Set<SystemRow>();
    const enter = (row: SystemRow): void => {
      open.add(row);
      under.push({ row, tables: readBy(row) });
    };
    if (!done.has(first)) enter(first);
    for (let top = under.at(-1); top !== undefined; top = under.at(-1)) {
      const table = top.tables.pop();
      if (table === undefined) {
        done.add(top.row);
        open.delete(top.row);
        under.pop();
        continue;
      }
      const other = views.get(table);
      if (other === undefined || other === top.row || done.has(other)) continue;
      if (open.has(other))
        circles.push(
          `${describeObject('space', top.row)} and ${describeObject('space', other)} read each other`,
        );
      else enter(other);
    }
  }
  return circles;
}
