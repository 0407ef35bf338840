import type { Describer } from '../schema/describe.js';
import type { Kind } from '../schema/ids.js';
import { isTable } from '../schema/rows.js';
import type { Value } from '../tuple/codec.js';
import { textOf } from './property.js';

const each = (value: Value, change: (value: Value) => Value): Value =>
  isTable(value)
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]))
    : change(value);

/** An option of a space, a field or an index, with names in the place of ids. */
export function named(key: string, value: Value, describer: Describer): Value {
  const name =
    (kind: Kind) =>
    (id: Value): Value =>
      typeof id === 'number' ? describer.thing(kind, id) : id;
  switch (key) {
    case 'constraint':
      return each(value, name('function'));
    case 'foreign_key':
      return each(value, (one) =>
        isTable(one) && 'space' in one ? { ...one, space: name('space')(one['space']!) } : one,
      );
    case 'default_func':
      return name('function')(value);
    case 'collation':
      return name('collation')(value);
    case 'func':
      // 0 stands for none
      return value === 0 ? null : name('function')(value);
    case 'hint':
      // without it, an index has hints
      return value === false ? 'false' : null;
    default:
      return value;
  }
}

/**
 * A part of an index in words.
 *
 * @example 'field 3 string collation unicode_ci'
 */
export function partText(part: Value, describer: Describer): string {
  const [position, kind] = Array.isArray(part) ? part : [];
  const { field, type, ...rest } = isTable(part) ? part : { field: position, type: kind };
  const words = Object.entries(rest)
    .filter(
      ([key, value]) => value !== false && value !== null && textOf([key, value]) !== ASCENDING,
    )
    .map(([key, value]) =>
      value === true ? key : `${key} ${textOf(named(key, value, describer))}`,
    );
  return [`field ${Number(field) + 1}`, String(type).toLowerCase(), ...words.sort()].join(' ');
}

const ASCENDING = textOf(['sort_order', 'asc']);
