import { encode, type Value } from '../../tuple/codec.js';
import { fieldBytesInTurns, joinFields } from '../../tuple/fields.js';
import { showBytes } from '../../tuple/show-value.js';
import { atOnce, inOneTurn, Walker } from '../../tuple/walk.js';
import type { KeyPart } from './catalog.js';

/**
 * Extracts the raw key of a tuple, in turns. Its bytes are sent back to a server unchanged.
 *
 * @returns undefined if the tuple lacks a part
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

/** Extracts the raw key of a small tuple at once. */
export function extractKey(tuple: Buffer, parts: readonly KeyPart[]): Buffer | undefined {
  return atOnce(extractKeyInTurns(tuple, parts));
}

/**
 * Returns the name of a row for messages: its key, or its first values if it has no key or the key comes after
 * millions of other values.
 */
export function showRow(tuple: Buffer, parts: readonly KeyPart[]): string {
  return showBytes(inOneTurn(extractKeyInTurns(tuple, parts)) ?? tuple);
}

/** Returns a value as text for people, e.g. `[512,"pk"]`. */
export function showValue(given: Value): string {
  return showBytes(encode(given));
}

/** Returns a key as text for people, whatever the types of its parts are. */
export function showKey(key: Buffer): string {
  return showBytes(key);
}
