import { MAX_SPACE_ID } from '../../backup/space-id.js';
import { isOlder, type Release } from './release.js';
import { SYSTEM_ID_MAX } from './system-spaces.js';

/** From this release on, the last id is reserved. */
const NO_LAST_ID: Release = [3, 0];

/** Returns the largest id of a space: `BOX_SPACE_MAX` of the server's `src/box/schema_def.h`. */
export function lastSpaceId(release: Release): number {
  return isOlder(release, NO_LAST_ID) ? MAX_SPACE_ID : MAX_SPACE_ID - 1;
}

/**
 * Returns the position before the widest gap of space ids, after which a server can create the most spaces. Until
 * 2.11.1, a new space gets the id after `max_id`, whether that is free or not.
 *
 * Source: `box.schema.space.create()` of the server's `src/box/lua/schema.lua`.
 *
 * @param ids - of users' spaces
 * @returns the id before the widest gap: one of `ids`, or the last one of the system
 * @example
 * widestGap([512, 513]); // 513
 * widestGap([512, 2147483647]); // 512
 */
export function widestGap(ids: Iterable<number>): number {
  const taken = [...ids].sort((a, b) => a - b);
  let start = SYSTEM_ID_MAX;
  let best = start;
  let widest = 0;
  for (const end of [...taken, MAX_SPACE_ID + 1]) {
    if (end - start > widest) [best, widest] = [start, end - start];
    start = end;
  }
  return best;
}
