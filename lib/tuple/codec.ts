import { addExtension, Packr } from 'msgpackr';

/**
 * Decodes what has to be understood: rows of system spaces, replies about the server itself. Tuples
 * of users never pass through here.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Extension
  | Value[]
  | { [key: string]: Value };

/** A MessagePack extension that is carried along without being understood. */
export class Extension {
  constructor(
    readonly type: number,
    readonly payload: Uint8Array,
  ) {}
}

/**
 * All types are carried alike: the server's own (`src/lib/core/mp_extension_types.h`: decimal 1, uuid 2,
 * error 3, datetime 4, compression 5, interval 6, tuple 7, arrow 8), and those that msgpackr would
 * otherwise take for its own. A class a type, for msgpackr finds the type by the class.
 */
const TYPES = 256;

type ExtensionClass = new (type: number, payload: Uint8Array) => Extension;
const classes = new Map<number, ExtensionClass>();

// Type 0 cannot have a class.
addExtension({
  type: 0,
  unpack: (payload: Uint8Array) => new Extension(0, Uint8Array.from(payload)),
});
for (let type = 1; type < TYPES; type++) {
  const Typed = class extends Extension {};
  classes.set(type, Typed);
  addExtension({
    Class: Typed,
    type,
    pack: (value: Extension) => Buffer.from(value.payload),
    unpack: (payload: Uint8Array) => new Typed(type, Uint8Array.from(payload)),
  });
}

function typed({ type, payload }: Extension): Extension {
  return new (classes.get(type) ?? Extension)(type, payload);
}

// Records are an extension of msgpackr's own that no server reads. 'auto' (a number where it is exact,
// else a bigint) is documented, and missing in its types.
const OPTIONS = { useRecords: false, int64AsType: 'auto' as 'bigint' };
const packr = new Packr(OPTIONS);

/** Decodes one MessagePack value; integers beyond 2^53 become bigint. */
export function decode(bytes: Uint8Array): Value {
  return packr.unpack(bytes) as Value;
}

/** msgpackr writes whole numbers beyond 32 bits as doubles, unless they are bigint. */
function exact(value: Value): Value {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && Math.abs(value) > 0x7fffffff ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Extension) return typed(value);
  if (value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, exact(each)]));
}

/** Encodes a value that was written in code: a request's arguments, a metadata field. */
export function encode(value: Value): Buffer {
  return packr.pack(exact(value));
}
