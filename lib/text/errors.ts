import { decodeExact, type ExactValue, encode } from '../tuple/codec.js';
import type { Opaque } from '../tuple/exact-types.js';

/** The type of an error: `MP_ERROR` of the server's `src/lib/core/mp_extension_types.h`. */
const TYPE = 3;
/** The only key of an error, `MP_ERROR_STACK`: `src/box/mp_error.cc`. */
const STACK = 0;
/** The names of parts by their keys, `MP_ERROR_TYPE` to `MP_ERROR_FIELDS` of `src/box/mp_error.cc`. */
const PARTS = ['type', 'file', 'line', 'message', 'errno', 'code', 'fields'] as const;

/**
 * Returns the errors of an error value, the last one first, as an array of maps in MessagePack with named parts.
 *
 * @returns undefined for anything else, and for an error in an unknown form
 */
export function readErrorStack({ type, payload }: Opaque): Buffer | undefined {
  if (type !== TYPE) return undefined;
  try {
    const error = decodeExact(Buffer.from(payload));
    const stack = error instanceof Map && error.size === 1 ? error.get(STACK) : undefined;
    return Array.isArray(stack) ? encode(stack.map(named)) : undefined;
  } catch {
    return undefined; // the payload is not MessagePack
  }
}

/**
 * Names the parts of an error.
 *
 * @throws RangeError for unknown parts, because none may be lost
 */
function named(error: ExactValue): ExactValue {
  if (!(error instanceof Map)) throw new RangeError('no map');
  const pairs = [...error].map(([key, value]): [string, ExactValue] => {
    const name = typeof key === 'number' ? PARTS[key] : undefined;
    if (name === undefined) throw new RangeError('an unknown part');
    return [name, value];
  });
  return Object.fromEntries(pairs);
}
