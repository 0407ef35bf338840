import { Field } from '../server/system-spaces.js';
import type { SystemRow } from './catalog.js';

/** An event of one space. Its name is a text, the space, and another text. */
export interface SpaceEvent {
  /** An id or a name. */
  space: number | string;
  /** Returns the same event of another space. */
  of(space: number | string): string;
}

/**
 * The names of events on the rows of one space, and on transactions that change them, with its id and with its name.
 *
 * Source: `space_set_events()` and `space_set_txn_events()` of the server's `src/box/space.c` (3.x).
 */
const FORMS: readonly RegExp[] = [
  /^(?<before>box\.space)(?:\[(?<id>\d+)\]|\.(?<name>.+))(?<behind>\.\w+)$/s,
  /^(?<before>box\.(?:before_commit|on_commit|on_rollback)\.space)(?:\[(?<id>\d+)\]|\.(?<name>.+))(?<behind>)$/s,
];

/**
 * Splits the name of an event.
 *
 * @returns undefined for an event of another kind
 * @example
 * spaceEventOf('box.space[512].on_replace')?.space; // 512
 */
export function spaceEventOf(event: string): SpaceEvent | undefined {
  const groups = FORMS.map((form) => form.exec(event)?.groups).find((found) => found !== undefined);
  if (groups === undefined) return undefined;
  const { before, id, name = '', behind } = groups;
  return {
    space: id === undefined ? name : Number(id),
    of: (space) =>
      typeof space === 'number' ? `${before}[${space}]${behind}` : `${before}.${space}${behind}`,
  };
}

/** Returns the events that call a function as a trigger (3.x). */
export function eventsOf({ fields }: SystemRow): string[] {
  const events = fields[Field.func.trigger];
  return Array.isArray(events) ? events.map(String) : [];
}
