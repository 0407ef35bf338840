import { TntarError } from '../base/errors.js';
import { headerSize, INCOMPLETE, isMap, memberCount, readUint, skip } from '../tuple/msgpack.js';
import { Key, MAX_HEADER_BYTES, MAX_PACKET_BYTES } from './constants.js';

/** Bytes of the length that stands before each packet: the server always writes it as uint32. */
export const LENGTH_BYTES = 5;
const UINT32 = 0xce;

/** The error of a peer that does not keep to the protocol. */
export function broken(what: string): TntarError {
  return new TntarError('failure', `protocol error: ${what}`, {
    hint: 'check that this is a Tarantool server, and that no proxy changes the bytes',
  });
}

const IS_SERVER = 'check that this is a Tarantool server';
const NO_TUPLE = 'A tuple of over 128 MiB fits no archive either';

/**
 * The length of the packet whose prefix stands at `offset`, without the prefix.
 *
 * @param limit - the most that the caller is ready to hold
 */
export function packetLength(buf: Buffer, offset: number, limit = MAX_PACKET_BYTES): number {
  if (buf[offset] !== UINT32) {
    throw broken(`a packet starts with byte 0x${buf[offset]!.toString(16)}, not with its length`);
  }
  const length = readUint(buf, offset);
  if (length > limit) {
    throw new TntarError(
      'failure',
      `protocol error: a packet of ${length} bytes is over the limit of ${limit}`,
      { hint: limit === MAX_PACKET_BYTES ? `${IS_SERVER} ${NO_TUPLE}` : IS_SERVER },
    );
  }
  return length;
}

/** Room for a packet that is cut, at first; it grows as bytes come. */
const FIRST_ROOM = 16 * 1024;
/** More room than this is not kept for the next one: a block that is larger may be kept as it is. */
export const KEPT_ROOM = 1024 * 1024;

/**
 * Turns chunks of a socket into blocks of whole packets, without a copy but of packets that are cut.
 *
 * @example
 * const splitter = new PacketSplitter();
 * splitter.push(chunk, (block) => forEachPacket(block, handle));
 */
export class PacketSplitter {
  /** The start of a packet whose end has not come yet. */
  #held: Buffer = Buffer.allocUnsafe(FIRST_ROOM);
  #heldBytes = 0;
  readonly #limit: number;

  /** @param limit - bytes of the largest packet that the caller has reason to wait for */
  constructor(limit = MAX_PACKET_BYTES) {
    this.#limit = limit;
  }

  /**
   * @param handle - gets whole packets, back to back with their prefixes: valid during the call only,
   * as `chunk` is, and free to be written to
   */
  push(chunk: Buffer, handle: (block: Buffer) => void): void {
    let pos = 0;
    if (this.#heldBytes > 0) {
      pos = this.#complete(chunk);
      if (this.#heldBytes < this.#heldLength()) return;
      const whole = this.#held.subarray(0, this.#heldBytes);
      this.#heldBytes = 0;
      handle(whole);
      if (this.#held.length > KEPT_ROOM) this.#held = Buffer.allocUnsafe(FIRST_ROOM);
    }
    const start = pos;
    try {
      while (chunk.length - pos >= LENGTH_BYTES) {
        const whole = LENGTH_BYTES + packetLength(chunk, pos, this.#limit);
        if (chunk.length - pos < whole) break;
        pos += whole;
      }
    } finally {
      // what stands in front of something wrong may say more than that
      if (pos > start) handle(chunk.subarray(start, pos));
    }
    this.#hold(chunk, pos, chunk.length);
  }

  /** True between two packets. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0;
  }

  /**
   * The header of the packet whose end has not come yet.
   *
   * @returns undefined while its header may not have come either
   * @throws TntarError for a header that does not end
   */
  get begun(): Pick<Packet, 'type' | 'sync'> | undefined {
    if (this.#heldBytes < LENGTH_BYTES + MAX_HEADER_BYTES) {
      return readReply(this.#held, LENGTH_BYTES, this.#heldBytes);
    }
    return readPacket(this.#held, LENGTH_BYTES, this.#heldBytes);
  }

  /** Bytes that the held packet has to have before more can be said of it. */
  #heldLength(): number {
    if (this.#heldBytes < LENGTH_BYTES) return LENGTH_BYTES;
    return LENGTH_BYTES + packetLength(this.#held, 0, this.#limit);
  }

  /** Takes what the held packet misses. @returns how much that was */
  #complete(chunk: Buffer): number {
    let pos = 0;
    while (pos < chunk.length && this.#heldBytes < this.#heldLength()) {
      const end = Math.min(chunk.length, pos + this.#heldLength() - this.#heldBytes);
      this.#hold(chunk, pos, end);
      pos = end;
    }
    return pos;
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const bytes = this.#heldBytes + end - start;
    if (bytes > this.#held.length) {
      const whole =
        this.#heldBytes === 0
          ? LENGTH_BYTES + packetLength(chunk, start, this.#limit)
          : this.#heldLength();
      // A large one all at once, which the system gives as bytes come: each step of doubling would leave
      // its memory to the collector.
      const room = bytes > KEPT_ROOM ? whole : Math.min(2 * bytes, whole);
      const larger = Buffer.allocUnsafeSlow(room);
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = bytes;
  }
}

/** The places of the parts of one packet in its block. */
export interface Packet {
  /** Reply type: 0, the type of a row, or {@link ERROR_BIT} | code. */
  type: number;
  sync: number;
  schemaVersion: number;
  /** The block that holds the packet. */
  buf: Buffer;
  /** The start of the body map; equal to `end` if there is no body. */
  body: number;
  end: number;
}

/**
 * Bytes of the header that servers write in front of each reply: `{0: uint32 type, 1: uint64 sync,
 * 5: uint32 schema version}`, `struct iproto_header_bin` of `src/box/xrow.c`.
 */
const REPLY_HEADER_BYTES = 23;

/** Reads the header of a reply, in its usual form; undefined for any other. */
function readReply(buf: Buffer, start: number, end: number): Packet | undefined {
  const isUsual =
    end - start >= REPLY_HEADER_BYTES &&
    buf[start] === 0x83 &&
    buf[start + 1] === Key.REQUEST_TYPE &&
    buf[start + 2] === UINT32 &&
    buf[start + 7] === Key.SYNC &&
    buf[start + 8] === 0xcf &&
    buf[start + 17] === Key.SCHEMA_VERSION &&
    buf[start + 18] === UINT32;
  if (!isUsual) return undefined;
  return {
    type: readUint(buf, start + 2),
    sync: readUint(buf, start + 8),
    schemaVersion: readUint(buf, start + 18),
    buf,
    body: start + REPLY_HEADER_BYTES,
    end,
  };
}

/** Reads the header of the packet that takes `buf[start, end)`, prefix excluded. */
export function readPacket(buf: Buffer, start: number, end: number): Packet {
  const reply = readReply(buf, start, end);
  if (reply !== undefined) return reply;
  const packet: Packet = { type: 0, sync: 0, schemaVersion: 0, buf, body: end, end };
  if (start >= end || !isMap(buf[start]!)) throw broken('a packet without a header');
  const most = Math.min(end, start + MAX_HEADER_BYTES);
  let pos = start + headerSize(buf, start);
  for (let pairs = memberCount(buf, start); pairs > 0; pairs--) {
    const key = readUint(buf, pos);
    const value = skip(buf, pos, most);
    const next = value < 0 ? INCOMPLETE : skip(buf, value, most);
    if (next < 0) throw broken('a packet whose header is cut or has no end');
    if (key === Key.REQUEST_TYPE) packet.type = readUint(buf, value);
    else if (key === Key.SYNC) packet.sync = readUint(buf, value);
    else if (key === Key.SCHEMA_VERSION) packet.schemaVersion = readUint(buf, value);
    pos = next;
  }
  if (Number.isNaN(packet.type) || Number.isNaN(packet.sync)) {
    throw broken('a packet with an invalid type or number');
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
