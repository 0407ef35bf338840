import { Carried } from '../tuple/carried.js';
import { decodeExact, type ExactValue } from '../tuple/exact.js';

/**
 * A row as people read it, on one line of JSON: integers with all their digits; binary values, and what
 * JSON has no form for, and rows that nest too deep, in hexadecimal; maps with keys that are no text as pairs.
 *
 * @example
 * rowText(Buffer.from([0x92, 0x01, 0xa1, 0x78])); // '[1,"x"]'
 */
export function rowText(row: Buffer): string {
  let value: ExactValue;
  try {
    value = decodeExact(row);
  } catch (error) {
    // it nests too deep to be taken apart
    if (error instanceof RangeError) return JSON.stringify(row.toString('hex'));
    throw error;
  }
  return isJson(value) ? JSON.stringify(value) : textOf(value);
}

/** True where JSON says all there is: it is written at once then, which takes a fraction of the time. */
function isJson(value: ExactValue): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if (Array.isArray(value)) return value.every(isJson);
  if (value instanceof Carried) return 'toJSON' in value;
  if (value instanceof Uint8Array || value instanceof Map) return false;
  return Object.values(value).every(isJson);
}

function textOf(value: ExactValue): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('hex'));
  if (value instanceof Carried) {
    return 'toJSON' in value ? JSON.stringify(value) : JSON.stringify(value.raw.toString('hex'));
  }
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (value instanceof Map) return textOf([...value].map((pair) => [...pair]));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`,
  );
  return `{${pairs.join(',')}}`;
}
