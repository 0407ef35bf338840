import { decodeExact } from '../../tuple/codec.js';
import { Datetime } from '../../tuple/datetime.js';
import { Decimal } from '../../tuple/decimal.js';
import { type Carried, Opaque } from '../../tuple/exact-types.js';
import { Interval } from '../../tuple/interval.js';
import { Uuid } from '../../tuple/uuid.js';
import { type ExpressionNumber, Ratio, Unanswered } from './numbers.js';
import type { ExpressionType } from './types.js';

/** An array or a map in a row. A member is decoded when an expression reads it. */
export class Stored {
  /**
   * @param pos - the offset of its header in the row
   * @param count - the number of its elements or pairs
   * @param field - the name of its field, for messages
   */
  constructor(
    readonly kind: 'list' | 'map',
    readonly pos: number,
    readonly count: number,
    readonly field: string,
  ) {}
}

/** A value of a row that expressions cannot hold exactly. */
export class Unsayable {
  constructor(
    readonly what: string,
    readonly field: string,
  ) {}
}

/** The values of expressions: integers are bigints, doubles are numbers, and decimals are ratios. */
export type ExpressionValue =
  | null
  | boolean
  | ExpressionNumber
  | string
  | Uint8Array
  | Stored
  | Unsayable
  | readonly ExpressionValue[];

/**
 * Returns the type of a value.
 *
 * @throws Unanswered for a value that expressions cannot hold exactly
 */
export function typeOf(value: ExpressionValue): ExpressionType {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (value instanceof Ratio) return 'decimal';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Stored) return value.kind;
  if (value instanceof Unsayable) {
    throw new Unanswered(
      `field ${value.field} holds ${value.what}`,
      'an expression has no exact value for it; use --filter',
    );
  }
  return 'list';
}

export const isNumber = (value: ExpressionValue): value is ExpressionNumber =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Ratio;

/** Returns true for a list, made by the expression or stored in the row. */
export const isList = (value: ExpressionValue): value is readonly ExpressionValue[] | Stored =>
  Array.isArray(value) || (value instanceof Stored && value.kind === 'list');

export const isStoredMap = (value: ExpressionValue): value is Stored =>
  value instanceof Stored && value.kind === 'map';

/** A limit in bytes that no UUID, decimal, datetime or interval reaches. */
const MAX_EXTENSION = 128;

/** Decodes an extension. A UUID becomes its text in lower case. */
export function extensionValue(raw: Buffer, field: string): ExpressionValue {
  if (raw.length > MAX_EXTENSION) return new Unsayable('a large extension', field);
  const value = decodeExact(raw);
  if (value instanceof Uuid) return String(value);
  if (value instanceof Decimal) return Ratio.from(String(value));
  return new Unsayable(nameOf(value as Carried), field);
}

function nameOf(value: Carried): string {
  if (value instanceof Datetime) return 'a datetime';
  if (value instanceof Interval) return 'an interval';
  return value instanceof Opaque ? `an extension of type ${value.type}` : 'an unknown value';
}
