import { quoted } from '../../base/report.js';
import { encode } from '../../tuple/codec.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { eventsOf, spaceEventOf } from '../catalog/event-triggers.js';
import { editField } from '../catalog/rows.js';
import { describeThing } from '../describe/describe.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Functions of the target that act by themselves on rows of some spaces (3.x), one line each: they would
 * act on those of the backup, too, and one that has the id of a dropped space would be left with it.
 *
 * @param spaces - names by the target's ids, of those that get rows or are dropped
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
      const what = describeThing('function', row);
      return name === undefined ? [] : [`${what} acts on rows of ${quoted(name)} (${event})`];
    }),
  );
}

/**
 * A function without the events of some spaces.
 *
 * @param isLeft - asked with an id or a name
 * @param lost - hears of each event that goes
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
