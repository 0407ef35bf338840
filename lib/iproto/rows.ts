import { MAX_TUPLE_BYTES } from '../archive/limits.js';
import { TntarError } from '../errors.js';
import { headerSize, INCOMPLETE, isArray, memberCount, skipTuple } from '../tuple/msgpack.js';
import { Key } from './constants.js';
import { isError, LENGTH_BYTES, packetLength, readPacket, replyError } from './packets.js';

/** Enough for the header of any reply and the start of its body. */
const HEAD_BYTES = 128;

/** Whole tuples that have arrived. */
export interface Rows {
  count: number;
  bytes: Buffer;
  /** The last of them, a view into `bytes`. */
  last: Buffer;
}

/**
 * Takes the tuples out of one reply to a SELECT while it arrives, so that a page is never held whole,
 * however large it turns out.
 *
 * @example
 * const reply = new RowsReply("space 'users'");
 * for await (const chunk of chunks) {
 *   const rows = reply.push(chunk);
 *   if (reply.complete) break;
 * }
 */
export class RowsReply {
  readonly #doing: string;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Nothing can be done before this many bytes are held. */
  #needed = LENGTH_BYTES;
  /** Bytes of the packet that have not come yet; undefined before its head was read. */
  #missing: number | undefined;
  #tuplesLeft = 0;
  /** Tuples handed out so far. */
  count = 0;

  /** @param doing - stands in front of what the server says where it answers with an error */
  constructor(doing: string) {
    this.#doing = doing;
  }

  /** True as soon as all tuples of the reply were handed out. */
  get complete(): boolean {
    return this.#missing === 0 && this.#tuplesLeft === 0;
  }

  /**
   * @returns the tuples that are whole by now; undefined while none is
   * @throws TntarError the server's, where the reply is an error
   */
  push(chunk: Buffer): Rows | undefined {
    if (this.#missing !== undefined) this.#missing -= chunk.length;
    if ((this.#missing ?? 0) < 0) throw this.#broken('more bytes than its length says');
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needed && this.#missing !== 0) return undefined;
    let bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held, this.#heldBytes);
    if (this.#missing === undefined) {
      const start = this.#readHead(bytes);
      if (start === undefined) {
        this.#hold(bytes);
        return undefined;
      }
      bytes = bytes.subarray(start);
    }
    if ((this.#missing ?? 0) < 0) throw this.#broken('more bytes than its length says');
    return this.#takeTuples(bytes);
  }

  /** @returns where the first tuple starts; undefined while more bytes are needed */
  #readHead(bytes: Buffer): number | undefined {
    const whole = LENGTH_BYTES + packetLength(bytes, 0, Number.MAX_SAFE_INTEGER);
    this.#needed = Math.min(whole, HEAD_BYTES);
    if (bytes.length < this.#needed) return undefined;
    const packet = readPacket(bytes, LENGTH_BYTES, Math.min(whole, bytes.length));
    if (isError(packet)) {
      this.#needed = whole;
      if (bytes.length < whole) return undefined;
      throw replyError(packet, this.#doing);
    }
    // A reply's body is {IPROTO_DATA: [tuple, …]}.
    const array = packet.body + 2;
    if (bytes[packet.body] !== 0x81 || bytes[packet.body + 1] !== Key.DATA) {
      throw this.#broken('a body without rows');
    }
    if (!isArray(bytes[array]!)) throw this.#broken('rows that are no array');
    this.#tuplesLeft = memberCount(bytes, array);
    this.#missing = whole - bytes.length;
    return array + headerSize(bytes, array);
  }

  #takeTuples(bytes: Buffer): Rows | undefined {
    let pos = 0;
    let last = 0;
    let count = 0;
    while (this.#tuplesLeft > 0) {
      const next = skipTuple(bytes, pos, bytes.length);
      if (next === INCOMPLETE) break;
      if (next < 0) throw this.#broken('a row that is no tuple');
      last = pos;
      pos = next;
      count++;
      this.#tuplesLeft--;
    }
    if (this.#missing === 0 && (this.#tuplesLeft > 0 || pos < bytes.length)) {
      throw this.#broken('rows that do not fill it');
    }
    this.count += count;
    // A copy: the rows are handed away, and their receiver may write to them.
    this.#hold(count === 0 ? bytes : Buffer.from(bytes.subarray(pos)));
    if (count === 0) return undefined;
    return { count, bytes: bytes.subarray(0, pos), last: bytes.subarray(last, pos) };
  }

  #hold(rest: Buffer): void {
    if (rest.length > MAX_TUPLE_BYTES) {
      throw new TntarError('failure', `${this.#doing}: a tuple of over ${MAX_TUPLE_BYTES} bytes`, {
        hint: 'larger ones fit no archive of this format',
      });
    }
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    // A large tuple is walked again only when twice as much of it is there.
    if (this.#missing !== undefined) this.#needed = 2 * rest.length;
  }

  #broken(what: string): TntarError {
    return new TntarError('failure', `${this.#doing}: protocol error: a reply with ${what}`);
  }
}
