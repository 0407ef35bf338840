/** Kinds of values. */
const INTEGER = ['unsigned', 'negative'];
const NUMBER = [...INTEGER, 'float', 'double', 'decimal'];
const SCALAR = [...NUMBER, 'string', 'boolean', 'varbinary', 'uuid', 'datetime'];

/**
 * What fields hold by their type. Others, such as those of a fixed size, are not known here.
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

/** How many of the values that a field of one type holds a field of another takes. */
export type Fit = 'all' | 'some' | 'none';

/**
 * @param from - type of the field that values are from, in lower case
 * @param to - type of the field that they go to
 * @example
 * fitOf('unsigned', 'number'); // 'all'
 * fitOf('number', 'unsigned'); // 'some'
 * fitOf('string', 'unsigned'); // 'none'
 */
export function fitOf(from: string, to: string): Fit {
  if (from === to || to === 'any') return 'all';
  const [held, taken] = [KINDS.get(from), KINDS.get(to)];
  if (held === undefined || taken === undefined) return 'some';
  // Old servers want each number of it to be a double.
  if (to !== 'double' && held.every((kind) => taken.includes(kind))) return 'all';
  return held.some((kind) => taken.includes(kind)) ? 'some' : 'none';
}
