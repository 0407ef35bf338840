import { randomBytes } from 'node:crypto';
import { groupBy } from '../base/collections.js';
import { messageOf, TntarError } from '../base/errors.js';
import type { Tuple } from '../tuple/tuple.js';
import { filterRows } from './apply.js';
import type { Filter } from './filter.js';
import { prepare } from './mask-checks.js';
import type { Mask, Masking } from './mask-spec.js';

function masked(tuple: Tuple, { field }: Mask, change: Masking): Tuple {
  const value = tuple.get(field);
  if (value === undefined || value === null) return tuple;
  try {
    return tuple.set(field, change(value));
  } catch (error) {
    throw new TntarError('failure', `${field}: ${messageOf(error)}`, {
      cause: error,
      hint: 'use =null or =fixed:VALUE for this field',
    });
  }
}

/** Returns a random key for {@link maskFields}, for backups whose hashes have to be the same. */
export function newMaskKey(): Buffer {
  return randomBytes(32);
}

/**
 * Replaces values that must not be seen. Null stays null. Hashes are keyed: with one key, the same value gives the
 * same hash in all fields of its type, so unique values stay unique, and references stay valid.
 *
 * @param key - the key of the hashes, any bytes; by default each run has its own 32
 * @returns a filter that throws a TntarError of kind `usage`, before the first row, for a field that does not exist,
 * or a mask that would break a unique index or a foreign key, or that the field cannot hold; and of kind `failure`
 * for a value that cannot be hashed
 * @example
 * await dump(server, output, { filters: [maskFields([parseMask('users.email=hash')])] });
 */
export function maskFields(masks: readonly Mask[], key: Buffer = newMaskKey()): Filter {
  let bySpace: ReadonlyMap<string, [Mask, Masking][]> = new Map();
  const shown = masks.map(({ space, field, by }) =>
    typeof by === 'string' ? `${space}.${field}=${by}` : `${space}.${field}=fixed`,
  );
  const name = `mask ${shown.join(', ')}`;
  const filter = filterRows((space, tuple) => {
    const mine = bySpace.get(space.name);
    if (mine === undefined) return tuple;
    return mine.reduce((each, [mask, change]) => masked(each, mask, change), tuple);
  }, name);
  return {
    ...filter,
    async head(head) {
      const prepared = masks.map((mask) => ({
        mask,
        ...prepare(mask, masks, head.catalog, key),
      }));
      bySpace = groupBy(
        prepared.map(({ mask, change }): [Mask, Masking] => [mask, change]),
        ([{ space }]) => space,
      );
      const outcome = await filter.head(head);
      const warnings = prepared.flatMap((each) => each.warnings);
      return { ...outcome, warnings: [...(outcome.warnings ?? []), ...warnings] };
    },
  };
}
