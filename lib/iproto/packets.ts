import { TntarError } from '../errors.js';
import { decode, type Value } from '../tuple/codec.js';
import { headerSize, INCOMPLETE, isMap, memberCount, readUint, skip } from '../tuple/msgpack.js';
import { ERROR_BIT, ErrorCode, Key, MAX_PACKET_BYTES } from './constants.js';

/** Bytes of the length that stands before each packet: the server always writes it as uint32. */
export const LENGTH_BYTES = 5;
const UINT32 = 0xce;

function broken(what: string): TntarError {
  return new TntarError('failure', `protocol error: ${what}`, {
    hint: 'is this a Tarantool server, and is nothing on the way changing the bytes?',
  });
}

/**
 * The length of the packet whose prefix stands at `offset`, without the prefix.
 *
 * @param limit - the most that the caller is ready to hold
 */
export function packetLength(buf: Buffer, offset: number, limit = MAX_PACKET_BYTES): number {
  if (buf[offset] !== UINT32) {
    throw broken(`a packet starts with byte 0x${buf[offset]!.toString(16)}, not with its length`);
  }
  const length = buf.readUInt32BE(offset + 1);
  if (length > limit) {
    throw broken(`a packet of ${length} bytes is over the limit of ${limit}`);
  }
  return length;
}

/**
 * Turns chunks of a socket into blocks of whole packets.
 *
 * @example
 * const splitter = new PacketSplitter();
 * const block = splitter.push(chunk); // prefix, packet, prefix, packet, … or undefined
 */
export class PacketSplitter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that have to be there before the first held packet is whole. */
  #needed = LENGTH_BYTES;

  /**
   * @returns all packets that are whole by now, back to back with their prefixes, in memory that
   * nobody else uses; undefined while none is
   */
  push(chunk: Buffer): Buffer | undefined {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needed) return undefined;
    const joined = this.#held.length === 1 ? chunk : Buffer.concat(this.#held, this.#heldBytes);

    let pos = 0;
    this.#needed = LENGTH_BYTES;
    while (joined.length - pos >= LENGTH_BYTES) {
      const whole = LENGTH_BYTES + packetLength(joined, pos);
      if (joined.length - pos < whole) {
        this.#needed = whole;
        break;
      }
      pos += whole;
    }
    // A copy: the block in front of it is handed away, and its receiver may write to it.
    const rest = Buffer.from(joined.subarray(pos));
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    return pos === 0 ? undefined : joined.subarray(0, pos);
  }

  /** True between two packets. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0;
  }
}

/** Where the parts of one packet stand in its block. */
export interface Packet {
  /** Reply type: 0, the type of a row, or {@link ERROR_BIT} | code. */
  type: number;
  sync: number;
  schemaVersion: number;
  /** The block that holds the packet. */
  buf: Buffer;
  /** Where the body map starts; equal to `end` where there is no body. */
  body: number;
  end: number;
}

/** Reads the header of the packet that takes `buf[start, end)`, prefix excluded. */
export function readPacket(buf: Buffer, start: number, end: number): Packet {
  const packet: Packet = { type: 0, sync: 0, schemaVersion: 0, buf, body: end, end };
  if (start >= end || !isMap(buf[start]!)) throw broken('a packet without a header');
  let pos = start + headerSize(buf, start);
  for (let pairs = memberCount(buf, start); pairs > 0; pairs--) {
    const key = readUint(buf, pos);
    const value = skip(buf, pos, end);
    const next = value < 0 ? INCOMPLETE : skip(buf, value, end);
    if (next < 0) throw broken('a packet whose header is cut');
    if (key === Key.REQUEST_TYPE) packet.type = readUint(buf, value);
    else if (key === Key.SYNC) packet.sync = readUint(buf, value);
    else if (key === Key.SCHEMA_VERSION) packet.schemaVersion = readUint(buf, value);
    pos = next;
  }
  if (Number.isNaN(packet.type) || Number.isNaN(packet.sync)) {
    throw broken('a packet whose type or number is none');
  }
  packet.body = pos;
  return packet;
}

/** Calls `handle` for each packet of a block; see {@link PacketSplitter}. */
export function forEachPacket(block: Buffer, handle: (packet: Packet) => void): void {
  let pos = 0;
  while (pos < block.length) {
    const start = pos + LENGTH_BYTES;
    pos = start + packetLength(block, pos);
    handle(readPacket(block, start, pos));
  }
}

/**
 * The raw value under `key` in the packet's body.
 *
 * @returns a view into the packet's block, or undefined
 */
export function bodyValue(packet: Packet, key: number): Buffer | undefined {
  const { buf, end } = packet;
  if (packet.body >= end || !isMap(buf[packet.body]!)) return undefined;
  let pos = packet.body + headerSize(buf, packet.body);
  for (let pairs = memberCount(buf, packet.body); pairs > 0; pairs--) {
    const found = readUint(buf, pos) === key;
    const value = skip(buf, pos, end);
    // The last value of a body ends where the packet does: no need to walk through it.
    const next = pairs === 1 ? end : value < 0 ? INCOMPLETE : skip(buf, value, end);
    if (value < 0 || next < 0) throw broken('a packet whose body is cut');
    if (found) return buf.subarray(value, next);
    pos = next;
  }
  return undefined;
}

/** {@link bodyValue}, decoded; null where the body has no such key. */
export function bodyDecoded(packet: Packet, key: number): Value {
  const raw = bodyValue(packet, key);
  return raw === undefined ? null : decode(raw);
}

export function isError(packet: Packet): boolean {
  return (packet.type & ERROR_BIT) !== 0;
}

const ACCESS_CODES: readonly number[] = [
  ErrorCode.ACCESS_DENIED,
  ErrorCode.NO_SUCH_USER,
  ErrorCode.PASSWORD_MISMATCH,
];

/**
 * The error that a reply carries.
 *
 * @param doing - what the request was for, to stand before the server's own text
 */
export function replyError(packet: Packet, doing: string): TntarError {
  const code = packet.type & ~ERROR_BIT;
  const text = String(bodyDecoded(packet, Key.ERROR_TEXT) ?? 'no text');
  const kind = ACCESS_CODES.includes(code) ? 'access' : 'failure';
  return new TntarError(kind, `${doing}: ${text} (server error ${code})`, { serverCode: code });
}
