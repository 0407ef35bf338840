import { createHash } from 'node:crypto';
import { readInteger } from '../tuple/integers.js';
import {
  headerSize,
  isArray,
  isInteger,
  isMap,
  isString,
  memberCount,
  skip,
  stringBytes,
} from '../tuple/msgpack.js';

/**
 * The limit in bytes for values that are shown. Longer ones are distinguished by a hash: SQL may have megabytes, and
 * a text for each of a million members would take hundreds of megabytes.
 */
const LONGEST_SHOWN = 10_000;

/** The limit for pairs of a long map, which are sorted by their texts. Longer texts are sorted by a hash. */
const LONGEST_PAIR = 64;

/** Calls `each` with the raw members of an array or of a map, whose keys and values take turns. */
export function* membersOf(raw: Buffer): Generator<Buffer, void, void> {
  const count = memberCount(raw, 0) * (isMap(raw[0]!) ? 2 : 1);
  let start = headerSize(raw, 0);
  for (let i = 0; i < count; i++) {
    const end = skip(raw, start, raw.length);
    yield raw.subarray(start, end);
    start = end;
  }
}

/** Returns the raw pairs of a map; an empty list for anything else. */
export function pairsOf(raw: Buffer): [key: Buffer, value: Buffer][] {
  if (!isMap(raw[0]!)) return [];
  const pairs: [key: Buffer, value: Buffer][] = [];
  let key: Buffer | undefined;
  for (const member of membersOf(raw)) {
    if (key === undefined) key = member;
    else {
      pairs.push([key, member]);
      key = undefined;
    }
  }
  return pairs;
}

/**
 * Returns a text for a MessagePack value that is equal for equal values and different for all others. Types are
 * distinguished, and the order of pairs in a map does not matter. A number in two encodings of one type is the same
 * value.
 *
 * @param raw - one value
 * @example
 * typedText(encode(5)); // '5'
 * typedText(encode('5')); // '"5"'
 */
export function typedText(raw: Buffer): string {
  const code = raw[0]!;
  if (isArray(code)) return arrayText(raw);
  if (isMap(code)) return mapText(raw);
  if (isString(code)) return stringText(Buffer.from(stringBytes(raw, 0)));
  if (isInteger(code)) return String(readInteger(raw, 0));
  switch (code) {
    case 0xc0:
      return 'null';
    case 0xc2:
      return 'false';
    case 0xc3:
      return 'true';
    case 0xca:
      return floatText(raw.readFloatBE(1), 'float', raw);
    case 0xcb:
      return floatText(raw.readDoubleBE(1), 'double', raw);
    default:
      return opaqueText(raw);
  }
}

/** The length of the text of an array decides, and not that of its bytes: a value has many encodings. */
function arrayText(raw: Buffer): string {
  const hash = createHash('sha256');
  let held: string[] = [];
  let heldLength = 0;
  let isLong = false;
  for (const member of membersOf(raw)) {
    const text = typedText(member);
    held.push(text);
    heldLength += text.length + 1;
    if (heldLength <= LONGEST_SHOWN) continue;
    hash.update(`${held.join(',')},`);
    held = [];
    heldLength = 0;
    isLong = true;
  }
  if (!isLong) return `[${held.join(',')}]`;
  hash.update(held.join(','));
  return `array(${memberCount(raw, 0)} members, ${hash.digest('hex')})`;
}

/** The same as {@link arrayText} for a map, with its pairs in the order of their texts. */
function mapText(raw: Buffer): string {
  let pairs: string[] = [];
  let length = 0;
  let isLong = false;
  let key: string | undefined;
  for (const member of membersOf(raw)) {
    const text = typedText(member);
    if (key === undefined) {
      key = text;
      continue;
    }
    const pair = `${key}:${text}`;
    key = undefined;
    length += pair.length + 1;
    const wasLong = isLong;
    isLong = length > LONGEST_SHOWN;
    if (isLong && !wasLong) pairs = pairs.map(shortPair);
    pairs.push(isLong ? shortPair(pair) : pair);
  }
  pairs.sort();
  if (!isLong) return `{${pairs.join(',')}}`;
  const hash = createHash('sha256');
  for (const pair of pairs) hash.update(`${pair},`);
  return `map(${pairs.length} pairs, ${hash.digest('hex')})`;
}

/** A hash begins with a sign that no text of a value begins with. */
function shortPair(pair: string): string {
  return pair.length > LONGEST_PAIR ? `#${hashOf(pair)}` : pair;
}

function stringText(bytes: Buffer): string {
  if (bytes.length > LONGEST_SHOWN) return `string(${bytes.length} bytes, ${hashOf(bytes)})`;
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes)
    ? JSON.stringify(text)
    : `string(0x${bytes.toString('hex')})`;
}

function floatText(value: number, type: string, raw: Buffer): string {
  if (Number.isNaN(value)) return `${type}(0x${raw.toString('hex', 1)})`;
  return `${type}(${Object.is(value, -0) ? '-0' : value})`;
}

/** Returns the text of bytes or of an extension. */
function opaqueText(raw: Buffer): string {
  const code = raw[0]!;
  const isBytes = code >= 0xc4 && code <= 0xc6;
  const start = headerSize(raw, 0);
  const payload = raw.subarray(isBytes ? start : start + 1);
  const type = isBytes ? 'bytes' : `extension ${raw.readInt8(start)}`;
  return payload.length > LONGEST_SHOWN
    ? `${type}(${payload.length} bytes, ${hashOf(payload)})`
    : `${type}(0x${payload.toString('hex')})`;
}

function hashOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Returns true if two MessagePack values are equal for a server. */
export function isSameValue(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || typedText(a) === typedText(b);
}
