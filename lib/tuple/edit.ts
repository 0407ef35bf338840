import { decode } from './codec.js';
import { joinFields } from './fields.js';
import { headerSize, isArray, isMap, mapHeader, memberCount, skip, str } from './msgpack.js';

/**
 * Changes values inside of a MessagePack map or array, and keeps all other bytes. If nothing changes, the same buffer
 * is returned.
 */

/**
 * Receives a key (undefined if it is not a string) and its raw value, and returns the new value, or undefined to
 * remove the pair.
 */
export type EditPair = (key: string | undefined, value: Buffer) => Buffer | undefined;

/**
 * Edits the pairs of a map.
 *
 * @param raw - one value; anything but a map is returned unchanged
 */
export function editMap(raw: Buffer, edit: EditPair): Buffer {
  if (raw.length === 0 || !isMap(raw[0]!)) return raw;
  const parts: Buffer[] = [];
  let changed = false;
  let pos = headerSize(raw, 0);
  for (let pairs = memberCount(raw, 0); pairs > 0; pairs--) {
    const valueAt = skip(raw, pos, raw.length);
    const end = skip(raw, valueAt, raw.length);
    const key = decode(raw.subarray(pos, valueAt));
    const value = raw.subarray(valueAt, end);
    const edited = edit(typeof key === 'string' ? key : undefined, value);
    if (edited !== value) changed = true;
    if (edited !== undefined) parts.push(raw.subarray(pos, valueAt), edited);
    pos = end;
  }
  return changed ? Buffer.concat([mapHeader(parts.length / 2), ...parts]) : raw;
}

/** Adds a pair at the end of a map that does not have the key. */
export function addPair(raw: Buffer, key: string, value: Buffer): Buffer {
  return addPairs(raw, [[key, value]]);
}

/**
 * Adds pairs at the end of a map that does not have the keys.
 *
 * @param raw - one value; anything but a map is returned unchanged
 */
export function addPairs(raw: Buffer, pairs: readonly (readonly [string, Buffer])[]): Buffer {
  if (raw.length === 0 || !isMap(raw[0]!)) return raw;
  const body = raw.subarray(headerSize(raw, 0));
  const added = pairs.flatMap(([key, value]) => [str(key), value]);
  return Buffer.concat([mapHeader(memberCount(raw, 0) + pairs.length), body, ...added]);
}

/**
 * Edits the elements of an array.
 *
 * @param raw - one value; anything but an array is returned unchanged
 */
export function editArray(raw: Buffer, edit: (element: Buffer) => Buffer): Buffer {
  if (raw.length === 0 || !isArray(raw[0]!)) return raw;
  const elements: Buffer[] = [];
  let changed = false;
  let pos = headerSize(raw, 0);
  for (let count = memberCount(raw, 0); count > 0; count--) {
    const end = skip(raw, pos, raw.length);
    const element = raw.subarray(pos, end);
    const edited = edit(element);
    if (edited !== element) changed = true;
    elements.push(edited);
    pos = end;
  }
  return changed ? joinFields(elements) : raw;
}
