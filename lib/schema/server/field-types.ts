/** Kinds of values that fields of a type can hold. */
const INTEGER = ['unsigned', 'negative'];
const NUMBER = [...INTEGER, 'float', 'double', 'decimal'];
const SCALAR = [...NUMBER, 'string', 'boolean', 'varbinary', 'uuid', 'datetime'];

/**
 * The kinds of values that fields can hold, by type. Other types, such as those of a fixed size, are unknown here.
 *
 * Source: `field_mp_type` and `field_ext_type` of the server's `src/box/field_def.c`.
 */
const KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['unsigned', ['unsigned']],
  ['integer', INTEGER],
  ['number', NUMBER],
  ['double', [...INTEGER, 'float', 'double']],
  ['decimal', ['decimal']],
  ['string', ['string']],
  ['boolean', ['boolean']],
  ['varbinary', ['varbinary']],
  ['uuid', ['uuid']],
  ['datetime', ['datetime']],
  ['interval', ['interval']],
  ['array', ['array']],
  ['map', ['map']],
  ['scalar', SCALAR],
  ['any', [...SCALAR, 'interval', 'array', 'map']],
]);

/** The share of the values of one type that a field of another type accepts. */
export type Fit = 'all' | 'some' | 'none';

/**
 * Returns the share of values that fit from one type into another.
 *
 * @param from - type of the values' field, in lower case
 * @param to - type of the target's field
 * @example
 * fitOf('unsigned', 'number'); // 'all'
 * fitOf('number', 'unsigned'); // 'some'
 * fitOf('string', 'unsigned'); // 'none'
 */
export function fitOf(from: string, to: string): Fit {
  if (from === to || to === 'any') return 'all';
  const [held, taken] = [KINDS.get(from), KINDS.get(to)];
  if (held === undefined || taken === undefined) return 'some';
  // Old servers require each number in it to be a double.
  if (to !== 'double' && held.every((kind) => taken.includes(kind))) return 'all';
  return held.some((kind) => taken.includes(kind)) ? 'some' : 'none';
}
