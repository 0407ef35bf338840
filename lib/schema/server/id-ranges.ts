import { MAX_SPACE_ID } from '../../backup/space-id.js';
import { isOlder, type Release } from './release.js';
import { SYSTEM_ID_MAX } from './system-spaces.js';

/** From here on the last id stands for none. */
const NO_LAST_ID: Release = [3, 0];

/** The largest id of a space: `BOX_SPACE_MAX` of the server's `src/box/schema_def.h`. */
export function lastSpaceId(release: Release): number {
  return isOlder(release, NO_LAST_ID) ? MAX_SPACE_ID : MAX_SPACE_ID - 1;
}

/**
 * Where a server that counts space ids up, and minds none that are taken, can make the most spaces. Until
 * 2.11.1 a new space gets the id behind `max_id`, whether that is free or not.
 *
 * Source: `box.schema.space.create()` of the server's `src/box/lua/schema.lua`.
 *
 * @param ids - that are taken by users' spaces
 * @returns the taken id, or the last one of the system, before the widest gap
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
