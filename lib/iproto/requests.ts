import { encode, type Value } from '../tuple/codec.js';
import { str, uint } from '../tuple/msgpack.js';
import { Key, RequestType } from './constants.js';

/** A request before it is given its number: type and body, the latter a MessagePack map. */
export interface Request {
  type: number;
  body: readonly Buffer[];
}

const EMPTY_MAP = Buffer.of(0x80);

/** Bytes before the body: length prefix, then `{0: type, 1: uint32 sync}`. */
export const PREFIX_BYTES = 14;

/**
 * Writes a packet's prefix at `offset`.
 *
 * @param bodyBytes - size of the body that will follow
 */
export function writePrefix(
  target: Buffer,
  offset: number,
  type: number,
  sync: number,
  bodyBytes: number,
): void {
  writeUint32(target, offset, PREFIX_BYTES - 5 + bodyBytes);
  target[offset + 5] = 0x82;
  target[offset + 6] = Key.REQUEST_TYPE;
  target[offset + 7] = type;
  target[offset + 8] = Key.SYNC;
  writeUint32(target, offset + 9, sync);
}

/** A MessagePack uint32: done for each row, and faster by hand than by the methods of Buffer. */
function writeUint32(target: Buffer, offset: number, value: number): void {
  target[offset] = 0xce;
  target[offset + 1] = value >>> 24;
  target[offset + 2] = value >>> 16;
  target[offset + 3] = value >>> 8;
  target[offset + 4] = value;
}

/** The packet of `request` under the number `sync`. */
export function toPacket(request: Request, sync: number): Buffer {
  const bodyBytes = request.body.reduce((sum, part) => sum + part.length, 0);
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  writePrefix(prefix, 0, request.type, sync, bodyBytes);
  return Buffer.concat([prefix, ...request.body]);
}

/** A request that has no arguments: PING, VOTE, FETCH_SNAPSHOT. */
export function bare(type: number): Request {
  return { type, body: [EMPTY_MAP] };
}

/**
 * @param key - a MessagePack array, raw
 */
export function select(
  spaceId: number,
  indexId: number,
  iterator: number,
  key: Buffer,
  limit: number,
): Request {
  return {
    type: RequestType.SELECT,
    body: [
      Buffer.of(0x86, Key.SPACE_ID),
      uint(spaceId),
      Buffer.of(Key.INDEX_ID),
      uint(indexId),
      Buffer.of(Key.ITERATOR, iterator, Key.OFFSET, 0, Key.LIMIT),
      uint(limit),
      Buffer.of(Key.KEY),
      key,
    ],
  };
}

/** Returns the bytes before the tuple in the body of INSERT and REPLACE. */
export function insertHead(spaceId: number): Buffer {
  return Buffer.concat([Buffer.of(0x82, Key.SPACE_ID), uint(spaceId), Buffer.of(Key.TUPLE)]);
}

/** Tuples of one space: tuple i is `bytes[offsets[i], offsets[i + 1])`. */
export interface Tuples {
  /** `RequestType.INSERT` or `RequestType.REPLACE`. */
  type: number;
  spaceId: number;
  bytes: Buffer;
  offsets: Uint32Array;
}

/**
 * An INSERT or REPLACE for each of the tuples from `first` on up to `end`, under numbers in a row.
 *
 * @param memory - is used where it is large enough
 * @returns the packets, back to back
 */
export function storePackets(
  { type, spaceId, bytes, offsets }: Tuples,
  first: number,
  end: number,
  firstSync: number,
  memory: Buffer,
): Buffer {
  const head = insertHead(spaceId);
  const overhead = (end - first) * (PREFIX_BYTES + head.length);
  const size = overhead + offsets[end]! - offsets[first]!;
  const packets = size <= memory.length ? memory.subarray(0, size) : Buffer.allocUnsafe(size);
  // All tuples are copied to the end at once, and moved to their places from there: a call out of
  // JavaScript for each of them would cost more than all else here.
  bytes.copy(packets, overhead, offsets[first]!, offsets[end]!);
  let from = overhead;
  let at = 0;
  for (let i = first; i < end; i++) {
    const tupleBytes = offsets[i + 1]! - offsets[i]!;
    writePrefix(packets, at, type, firstSync + i - first, head.length + tupleBytes);
    at += PREFIX_BYTES;
    for (let k = 0; k < head.length; k++) packets[at++] = head[k]!;
    packets.copyWithin(at, from, from + tupleBytes);
    at += tupleBytes;
    from += tupleBytes;
  }
  return packets;
}

/**
 * @param type - `RequestType.INSERT` or `RequestType.REPLACE`
 * @param tuple - a MessagePack array, raw
 */
export function store(type: number, spaceId: number, tuple: Buffer): Request {
  return { type, body: [insertHead(spaceId), tuple] };
}

/**
 * Deletes by the primary key.
 *
 * @param key - a MessagePack array, raw
 */
export function remove(spaceId: number, key: Buffer): Request {
  return {
    type: RequestType.DELETE,
    body: [Buffer.of(0x83, Key.SPACE_ID), uint(spaceId), Buffer.of(Key.INDEX_ID, 0, Key.KEY), key],
  };
}

/**
 * Stores a tuple, or changes the one that has its key.
 *
 * @param operations - raw, e.g. `[["+", 1, 1]]`; fields are counted from 0
 */
export function upsert(spaceId: number, tuple: Buffer, operations: Buffer): Request {
  return {
    type: RequestType.UPSERT,
    body: [
      Buffer.of(0x83, Key.SPACE_ID),
      uint(spaceId),
      Buffer.of(Key.TUPLE),
      tuple,
      Buffer.of(Key.OPERATIONS),
      operations,
    ],
  };
}

/** Calls a function of the server by its name, with MessagePack arguments; needs execute on it. */
export function call(name: string, args: Value[] = []): Request {
  return {
    type: RequestType.CALL,
    body: [Buffer.of(0x82, Key.FUNCTION_NAME), str(name), Buffer.of(Key.TUPLE), encode(args)],
  };
}

/** Runs a Lua expression on the server; needs execute on universe. */
export function evaluate(expression: string, args: Value[] = []): Request {
  return {
    type: RequestType.EVAL,
    body: [Buffer.of(0x82, Key.EXPRESSION), str(expression), Buffer.of(Key.TUPLE), encode(args)],
  };
}
