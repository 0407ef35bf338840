import { TntarError } from '../base/errors.js';
import type { ExactValue } from '../tuple/codec.js';

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

/**
 * Reads `SPACE.FIELD=null|hash|fixed:VALUE`. The last dot parts the names.
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

/** What a mask does to the value of its field. */
export type Masking = (value: ExactValue) => ExactValue;
