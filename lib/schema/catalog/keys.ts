import { encode, type Value } from '../../tuple/codec.js';
import { fieldBytesInTurns, joinFields } from '../../tuple/fields.js';
import { showBytes } from '../../tuple/show-value.js';
import { atOnce, inOneTurn, Walker } from '../../tuple/walk.js';
import type { KeyPart } from './catalog.js';

/**
 * Finds the raw key of a tuple, in turns: its bytes go back to a server as they came.
 *
 * @returns undefined where the tuple lacks a part
 */
export function* extractKeyInTurns(
  tuple: Buffer,
  parts: readonly KeyPart[],
): Generator<void, Buffer | undefined> {
  const walker = new Walker();
  const fields: Buffer[] = [];
  for (const { fieldNo, path } of parts) {
    const bytes = yield* fieldBytesInTurns(walker, tuple, fieldNo, path);
    if (bytes === undefined) return undefined;
    fields.push(bytes);
  }
  return joinFields(fields);
}

/** The same at once, for a tuple that is not large. */
export function extractKey(tuple: Buffer, parts: readonly KeyPart[]): Buffer | undefined {
  return atOnce(extractKeyInTurns(tuple, parts));
}

/**
 * A row as messages name it: by its key, or by its first values where it has no key, or one after millions of
 * other values.
 */
export function showRow(tuple: Buffer, parts: readonly KeyPart[]): string {
  return showBytes(inOneTurn(extractKeyInTurns(tuple, parts)) ?? tuple);
}

/** A value as people read it, e.g. `[512,"pk"]`. */
export function showValue(given: Value): string {
  return showBytes(encode(given));
}

/** A key as people read it, whatever the types of its parts. */
export function showKey(key: Buffer): string {
  return showBytes(key);
}
