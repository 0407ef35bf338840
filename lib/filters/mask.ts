import { createHmac, randomBytes } from 'node:crypto';
import { TntarError } from '../errors.js';
import { listOf, type Report, thereAre } from '../report.js';
import type { Catalog, Space } from '../schema/catalog.js';
import { isTable } from '../schema/rows.js';
import type { ExactValue } from '../tuple/exact.js';
import type { Tuple } from '../tuple/tuple.js';
import { Uuid } from '../tuple/uuid.js';
import { applyFilter } from './apply.js';
import { positions, spaceOf } from './filter.js';
import type { Rewrite } from './rewrite.js';

/** What stands in the place of the values of one field. */
export interface Mask {
  space: string;
  field: string;
  /** `null`, a hash that is the same for the same value, or this text for all of them. */
  by: 'null' | 'hash' | { fixed: string };
}

/** Of a hash in a value of any length: 128 bits are enough for no two to meet. */
const HASH_BYTES = 16;

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

/** A value of the same kind, by which nobody finds the first, and always the same for it. */
function hashed(value: ExactValue, key: Buffer): ExactValue {
  const hash = (kind: string, text: string | Uint8Array): Buffer =>
    createHmac('sha256', key).update(`${kind}:`).update(text).digest();
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return hash('string', value).toString('hex', 0, HASH_BYTES);
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    const bits = hash('integer', String(value)).readBigUInt64BE();
    return value < 0 ? -(bits >> 1n) - 1n : bits;
  }
  if (value instanceof Uuid) {
    return Uuid.fromBytes(hash('uuid', value.toString()).subarray(0, HASH_BYTES));
  }
  if (value instanceof Uint8Array) return hash('binary', value).subarray(0, HASH_BYTES);
  throw new TypeError('only strings, integers, uuids and binary values can be hashed');
}

/** Finds what a mask would break before it does. */
function check({ space: name, field, by }: Mask, catalog: Catalog): void {
  const space = catalog.spaces.find((each) => each.name === name);
  if (space === undefined) {
    const there = catalog.spaces.map((each) => each.name);
    throw usage(`mask: there is no space '${name}'`, thereAre(there));
  }
  const fieldNo = fieldOf(space, field);
  if (by === 'hash') return;
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
}

function fieldOf(space: Space, field: string): number {
  const names = positions(spaceOf(space));
  const fieldNo = names.get(field);
  if (fieldNo !== undefined) return fieldNo;
  const there = listOf([...names.keys()]);
  throw usage(`mask: space '${space.name}' has no field '${field}'`, `its format has ${there}`);
}

function masked(tuple: Tuple, { field, by }: Mask, key: Buffer): Tuple {
  const value = tuple.get(field);
  if (value === undefined || value === null) return tuple;
  if (by === 'null') return tuple.set(field, null);
  return tuple.set(field, by === 'hash' ? hashed(value, key) : by.fixed);
}

/**
 * Puts something else in the place of what must not be seen. What is null stays null. Hashes are keyed:
 * the same value gives the same hash, in all fields, for one key; so what was unique, or referred to
 * something, still is and does.
 *
 * @param key - of the hashes; without one each run has its own
 * @example
 * maskFields([parseMask('users.email=hash')], report);
 */
export function maskFields(
  masks: readonly Mask[],
  report: Report,
  key: Buffer = randomBytes(32),
): Rewrite {
  const bySpace = new Map<string, Mask[]>();
  for (const mask of masks) bySpace.set(mask.space, [...(bySpace.get(mask.space) ?? []), mask]);
  const shown = masks.map(({ space, field, by }) =>
    typeof by === 'string' ? `${space}.${field}=${by}` : `${space}.${field}=fixed`,
  );
  const name = `mask ${shown.join(', ')}`;
  const rewrite = applyFilter(
    (space, tuple) => {
      const mine = space.isSystem ? undefined : bySpace.get(space.name);
      if (mine === undefined) return tuple;
      return mine.reduce((each, mask) => masked(each, mask, key), tuple);
    },
    name,
    report,
  );
  return {
    ...rewrite,
    head(head) {
      for (const mask of masks) check(mask, head.catalog);
      return rewrite.head(head);
    },
  };
}
