import { decode, Extension, type Value } from '../tuple/codec.js';
import { fieldBytes, joinFields } from '../tuple/fields.js';
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

/** What a message shows of a key at most, in characters. */
const SHOWN = 200;

/** A value as people read it, e.g. `[512,"pk"]`. */
export function showValue(given: Value): string {
  const text = JSON.stringify(given, (_name, value) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Extension ? `<extension ${value.type}>` : value;
  });
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** A key as people read it. */
export function showKey(key: Buffer): string {
  return showValue(decode(key));
}
