import {
  arrayHeader,
  headerSize,
  isArray,
  isMap,
  isString,
  memberCount,
  readUint,
  skip,
  stringBytes,
} from './msgpack.js';
import { atOnce, UNFINISHED, Walker } from './walk.js';

/** One step of a JSON path: a key of a map, or a zero-based position in an array. */
export type PathStep = string | number;

/**
 * Returns the raw bytes of each field of a tuple, as views.
 *
 * @param tuple - one whole MessagePack array
 */
export function splitFields(tuple: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  const count = memberCount(tuple, 0);
  let pos = headerSize(tuple, 0);
  for (let i = 0; i < count; i++) {
    const next = skip(tuple, pos, tuple.length);
    fields.push(tuple.subarray(pos, next));
    pos = next;
  }
  return fields;
}

/**
 * Returns a tuple, or a key, of raw fields.
 *
 * @example
 * joinFields([uint(512), str('users')]); // the bytes of [512, 'users']
 */
export function joinFields(fields: readonly Buffer[]): Buffer {
  return Buffer.concat([arrayHeader(fields.length), ...fields]);
}

/** Skips the value at `pos`, which is whole. */
function* past(walker: Walker, buf: Buffer, pos: number): Generator<void, number> {
  const end = walker.begin(buf, pos, buf.length);
  return end === UNFINISHED ? yield* walker.rest() : end;
}

/**
 * Returns the offset of the value at the end of `path` from the value at `offset`. Of duplicate keys of a map, the
 * server indexes the last one that leads to a value.
 */
function* follow(
  walker: Walker,
  buf: Buffer,
  offset: number,
  path: readonly PathStep[],
  depth: number,
): Generator<void, number | undefined> {
  const step = path[depth];
  if (step === undefined) return offset;
  const code = buf[offset]!;
  let pos = offset + headerSize(buf, offset);
  if (typeof step === 'number' && isArray(code)) {
    if (step >= memberCount(buf, offset)) return undefined;
    for (let i = 0; i < step; i++) pos = yield* past(walker, buf, pos);
    return yield* follow(walker, buf, pos, path, depth + 1);
  }
  if (!isMap(code)) return undefined;
  let found: number | undefined;
  for (let pairs = memberCount(buf, offset); pairs > 0; pairs--) {
    const value = yield* past(walker, buf, pos);
    if (keyMatches(buf, pos, step)) {
      found = (yield* follow(walker, buf, value, path, depth + 1)) ?? found;
    }
    pos = yield* past(walker, buf, value);
  }
  return found;
}

/** Returns true if a key matches a step. A number means the integer key of a map as the path wrote it, one-based. */
function keyMatches(buf: Buffer, offset: number, step: PathStep): boolean {
  if (typeof step === 'number') return readUint(buf, offset) === step + 1;
  return isString(buf[offset]!) && Buffer.from(step).equals(stringBytes(buf, offset));
}

/**
 * Finds the raw bytes of one field, or of the value that a JSON path leads to inside of it, in turns.
 *
 * @param fieldNo - zero-based
 * @returns undefined if the tuple has no such value
 */
export function* fieldBytesInTurns(
  walker: Walker,
  tuple: Buffer,
  fieldNo: number,
  path: readonly PathStep[] = [],
): Generator<void, Buffer | undefined> {
  const pos = yield* follow(walker, tuple, 0, [fieldNo, ...path], 0);
  return pos === undefined ? undefined : tuple.subarray(pos, yield* past(walker, tuple, pos));
}

/** Does the same at once. */
export function fieldBytes(
  tuple: Buffer,
  fieldNo: number,
  path: readonly PathStep[] = [],
): Buffer | undefined {
  if (path.length === 0) {
    // Nearly all keys are whole fields, and a comparison reads those of every row.
    if (fieldNo >= memberCount(tuple, 0)) return undefined;
    let pos = headerSize(tuple, 0);
    for (let i = 0; i < fieldNo; i++) pos = skip(tuple, pos, tuple.length);
    return tuple.subarray(pos, skip(tuple, pos, tuple.length));
  }
  return atOnce(fieldBytesInTurns(new Walker(), tuple, fieldNo, path));
}

/**
 * Finds the raw bytes of the value that a JSON path leads to inside of another value, in turns; undefined if there is
 * none.
 */
export function* valueBytesInTurns(
  walker: Walker,
  value: Buffer,
  path: readonly PathStep[],
): Generator<void, Buffer | undefined> {
  const pos = yield* follow(walker, value, 0, path, 0);
  return pos === undefined ? undefined : value.subarray(pos, yield* past(walker, value, pos));
}

/**
 * Parses the JSON path of a part of an index in the form of `_index`.
 *
 * Source: the server's `src/lib/json/json.c`: `[1]` counts from one, `['key']` and `["key"]` are quoted, `.key` and a
 * leading `key` are not.
 *
 * @example
 * parsePath('.address[2]["zip code"]'); // ['address', 1, 'zip code']
 */
export function parsePath(path: string): PathStep[] {
  const steps: PathStep[] = [];
  const token = /\.?([^.[\]]+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]/gy;
  while (token.lastIndex < path.length) {
    const at = token.lastIndex;
    const match = token.exec(path);
    const [, bare, position, double, single] = match ?? [];
    if (match === null || Number(position) === 0) {
      throw new RangeError(`cannot read the JSON path '${path}' at character ${at}`);
    }
    steps.push(position === undefined ? (bare ?? double ?? single ?? '') : Number(position) - 1);
  }
  return steps;
}
