import { quoted } from '../../base/report.js';
import { encode } from '../../tuple/codec.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { eventsOf, spaceEventOf } from '../catalog/event-triggers.js';
import { editField } from '../catalog/rows.js';
import { describeObject } from '../describe/describe.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Lists functions of the target that are triggers on rows of some spaces (3.x), one line each. They would also act on
 * the rows of the backup, and a trigger on the id of a dropped space would be left with that id.
 *
 * @param spaces - names of the spaces that get rows or are dropped, by the target's ids
 * @example
 * functionsActingOn(target, new Map([[512, 'users']]));
 * // ["function 'audit' acts on rows of 'users' (box.space.users.on_replace)"]
 */
export function functionsActingOn(target: Catalog, spaces: ReadonlyMap<number, string>): string[] {
  const names = new Set(spaces.values());
  const nameIn = (event: string): string | undefined => {
    const space = spaceEventOf(event)?.space;
    if (typeof space === 'number') return spaces.get(space);
    return space !== undefined && names.has(space) ? space : undefined;
  };
  return target.rows(SystemSpace.FUNC).flatMap((row) =>
    eventsOf(row).flatMap((event) => {
      const name = nameIn(event);
      const what = describeObject('function', row);
      return name === undefined ? [] : [`${what} acts on rows of ${quoted(name)} (${event})`];
    }),
  );
}

/**
 * Returns a function without its events on some spaces.
 *
 * @param isLeft - returns true if the events on a space, by its id or its name, are kept
 * @param lost - called with each event that is removed
 */
export function withoutEvents(
  row: SystemRow,
  isLeft: (space: number | string) => boolean,
  lost: (event: string) => void,
): SystemRow {
  const events = eventsOf(row);
  const left = events.filter((event) => {
    const space = spaceEventOf(event)?.space;
    const stays = space === undefined || isLeft(space);
    if (!stays) lost(event);
    return stays;
  });
  if (left.length === events.length) return row;
  return editField(row, Field.func.trigger, () => encode(left));
}
