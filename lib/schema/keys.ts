import { encode, type Value } from '../tuple/codec.js';
import { fieldBytes, joinFields } from '../tuple/fields.js';
import { showBytes } from '../tuple/show.js';
import type { KeyPart } from './catalog.js';

/**
 * The raw key of a tuple: its bytes go back to a server as they came.
 *
 * @returns undefined where the tuple lacks a part
 */
export function extractKey(tuple: Buffer, parts: readonly KeyPart[]): Buffer | undefined {
  const fields: Buffer[] = [];
  for (const { fieldNo, path } of parts) {
    const bytes = fieldBytes(tuple, fieldNo, path);
    if (bytes === undefined) return undefined;
    fields.push(bytes);
  }
  return joinFields(fields);
}

/** A value as people read it, e.g. `[512,"pk"]`. */
export function showValue(given: Value): string {
  return showBytes(encode(given));
}

/** A key as people read it, whatever the types of its parts. */
export function showKey(key: Buffer): string {
  return showBytes(key);
}
