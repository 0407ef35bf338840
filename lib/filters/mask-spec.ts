import { TntarError } from '../base/errors.js';
import type { ExactValue } from '../tuple/codec.js';

/**
 * A mask: the replacement of the values of one field.
 *
 * @example
 * const mask: Mask = { space: 'users', field: 'city', by: { fixed: 'Springfield' } };
 */
export interface Mask {
  /** The name of the space. */
  space: string;
  /** The name of the field in the format of the space. */
  field: string;
  /** `null`, a hash that is equal for equal values, or a text that is read as a value of the field's type. */
  by: 'null' | 'hash' | { fixed: string };
}

/**
 * Reads `SPACE.FIELD=null|hash|fixed:VALUE`. The last dot separates the names.
 *
 * @throws TntarError of kind `usage`
 * @example
 * parseMask('users.email=hash'); // { space: 'users', field: 'email', by: 'hash' }
 */
export function parseMask(text: string): Mask {
  const [, space = '', field = '', how = ''] =
    /^(.+?)\.([^.=]+)=(null|hash|fixed:.*)$/s.exec(text) ?? [];
  if (space === '') {
    throw new TntarError('usage', `cannot read the mask '${text}'`, {
      hint: 'write SPACE.FIELD=null, =hash or =fixed:VALUE',
    });
  }
  if (how === 'null' || how === 'hash') return { space, field, by: how };
  return { space, field, by: { fixed: how.slice('fixed:'.length) } };
}

/** Returns the masked value of a field. */
export type Masking = (value: ExactValue) => ExactValue;
