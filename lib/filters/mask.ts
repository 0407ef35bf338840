import { randomBytes } from 'node:crypto';
import { messageOf, TntarError } from '../errors.js';
import { listOf, type Report, silent, thereAre } from '../report.js';
import type { Catalog, Space } from '../schema/catalog.js';
import { isTable } from '../schema/rows.js';
import type { ExactValue } from '../tuple/exact.js';
import type { Tuple } from '../tuple/tuple.js';
import { applyFilter } from './apply.js';
import { positions, spaceOf } from './filter.js';
import { fixedValue, hashed } from './mask-values.js';
import type { Rewrite } from './rewrite.js';

/**
 * What stands in the place of the values of one field.
 *
 * @example
 * const mask: Mask = { space: 'users', field: 'city', by: { fixed: 'Springfield' } };
 */
export interface Mask {
  /** Its name. */
  space: string;
  /** Its name, in the format of the space. */
  field: string;
  /** `null`, a hash that is the same for the same value, or what this text stands for in the field. */
  by: 'null' | 'hash' | { fixed: string };
}

function usage(message: string, hint: string): TntarError {
  return new TntarError('usage', message, { hint });
}

/**
 * Reads `SPACE.FIELD=null|hash|fixed:VALUE`. The last dot parts the names.
 *
 * @throws TntarError of kind `usage`
 * @example
 * parseMask('users.email=hash'); // { space: 'users', field: 'email', by: 'hash' }
 */
export function parseMask(text: string): Mask {
  const [, space = '', field = '', how = ''] =
    /^(.+)\.([^.=]+)=(null|hash|fixed:.*)$/s.exec(text) ?? [];
  if (space === '') {
    throw usage(`cannot read the mask '${text}'`, 'write SPACE.FIELD=null, =hash or =fixed:VALUE');
  }
  if (how === 'null' || how === 'hash') return { space, field, by: how };
  return { space, field, by: { fixed: how.slice('fixed:'.length) } };
}

/** What a mask does to the value of its field. */
type Masking = (value: ExactValue) => ExactValue;

/** Finds what a mask would break before it does. */
function prepare({ space: name, field, by }: Mask, catalog: Catalog, key: Buffer): Masking {
  const space = catalog.spaces.find((each) => each.name === name);
  if (space === undefined) {
    const there = catalog.spaces.map((each) => each.name);
    throw usage(`mask: there is no space '${name}'`, thereAre(there));
  }
  const fieldNo = fieldOf(space, field);
  if (by === 'hash') return (value) => hashed(value, key);
  const index = catalog
    .indexesOf(space.id)
    .find(({ isUnique, parts }) => isUnique && parts.some((part) => part.fieldNo === fieldNo));
  if (index !== undefined) {
    throw usage(
      `mask: '${name}.${field}' is part of the unique index '${index.name}', and all rows would be alike`,
      'a hash keeps it unique: use =hash',
    );
  }
  const format = space.format[fieldNo];
  if (by === 'null' && !(isTable(format) && format['is_nullable'] === true)) {
    throw usage(`mask: '${name}.${field}' cannot be null`, 'use =hash or =fixed:VALUE');
  }
  if (by === 'null') return () => null;
  const { type } = spaceOf(space).format[fieldNo]!;
  try {
    const value = fixedValue(by.fixed, type.toLowerCase());
    return () => value;
  } catch (error) {
    const message = `mask: '${name}.${field}' is ${type}, and ${messageOf(error)}`;
    throw usage(message, `write =fixed: and a value of type ${type}`);
  }
}

function fieldOf(space: Space, field: string): number {
  const names = positions(spaceOf(space));
  const fieldNo = names.get(field);
  if (fieldNo !== undefined) return fieldNo;
  const there = listOf([...names.keys()]);
  throw usage(`mask: space '${space.name}' has no field '${field}'`, `its format has ${there}`);
}

function masked(tuple: Tuple, { field }: Mask, change: Masking): Tuple {
  const value = tuple.get(field);
  return value === undefined || value === null ? tuple : tuple.set(field, change(value));
}

/**
 * Puts something else in the place of what must not be seen. What is null stays null. Hashes are keyed:
 * the same value gives the same hash, in all fields, for one key; so what was unique, or referred to
 * something, still is and does.
 *
 * @param report - hears how many rows were masked
 * @param key - of the hashes, any bytes; without one each run has its own 32
 * @returns it throws a TntarError of kind `usage`, before the first row, for a field that is not there, or
 *   a mask that would break a unique index, or put null where it may not be; of kind `failure` for a value
 *   that cannot be hashed
 * @example
 * await dump(server, output, { rewrites: [maskFields([parseMask('users.email=hash')])] });
 */
export function maskFields(
  masks: readonly Mask[],
  report: Report = silent,
  key: Buffer = randomBytes(32),
): Rewrite {
  const bySpace = new Map<string, [Mask, Masking][]>();
  const shown = masks.map(({ space, field, by }) =>
    typeof by === 'string' ? `${space}.${field}=${by}` : `${space}.${field}=fixed`,
  );
  const name = `mask ${shown.join(', ')}`;
  const rewrite = applyFilter(
    (space, tuple) => {
      const mine = space.isSystem ? undefined : bySpace.get(space.name);
      if (mine === undefined) return tuple;
      return mine.reduce((each, [mask, change]) => masked(each, mask, change), tuple);
    },
    name,
    report,
  );
  return {
    ...rewrite,
    head(head) {
      for (const mask of masks) {
        const prepared: [Mask, Masking] = [mask, prepare(mask, head.catalog, key)];
        bySpace.set(mask.space, [...(bySpace.get(mask.space) ?? []), prepared]);
      }
      return rewrite.head(head);
    },
  };
}
