import { MAX_TUPLE_BYTES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';
import { NOTHING, type Pool } from '../base/memory.js';
import { headerSize, INCOMPLETE, isArray, memberCount, skipTuple } from '../tuple/msgpack.js';
import { Arriving } from '../tuple/walk.js';
import { isError, replyError } from './bodies.js';
import { Key } from './constants.js';
import { LENGTH_BYTES, packetLength, readPacket } from './packets.js';

/** Enough for the header of any reply and the start of its body. */
const HEAD_BYTES = 128;
/** An error is a text and, on newer servers, a stack of them: no reason for more. */
const MAX_ERROR_BYTES = 1024 * 1024;
/** A tuple of which so much has come is walked over as its bytes arrive, and a smaller one when it is whole. */
const ARRIVING_BYTES = 64 * 1024;

/** Whole tuples that have arrived. */
export interface Rows {
  count: number;
  /** The receiver's own. */
  bytes: Buffer;
  /** Bytes of the largest. */
  largest: number;
  /** Gives the memory of `bytes` back, for whoever is done with them. */
  release: () => void;
}

/**
 * Takes the tuples out of replies to SELECT, one after the other, while they arrive: no page is held
 * whole, however large it turns out. Tuples are gathered to pieces of memory that are as good as full,
 * across pages.
 *
 * @example
 * const reader = new RowsReader("read space 'users'", memory, (rows) => use(rows));
 * while (!reader.push(chunk)) chunk = await next();
 * reader.flush();
 */
export class RowsReader {
  readonly #doing: string;
  readonly #memory: Pool;
  readonly #emit: (rows: Rows) => void;
  /** The part of a reply's head that has arrived. */
  #head = NOTHING;
  /** Bytes of the packet that have not come yet; undefined before its head was read. */
  #missing: number | undefined;
  #tuplesLeft = 0;

  /** Tuples are gathered here: whole ones up to `#end`, then the start of one up to `#filled`. */
  #piece = NOTHING;
  #end = 0;
  #filled = 0;
  #gathered = 0;
  /** Bytes of the largest of them. */
  #largest = 0;
  /** The position of the last whole tuple. */
  #last = 0;
  /** The walk over the tuple that begins at `#end`, if much of it has come. */
  #arriving: Arriving | undefined;

  /** Tuples of the reply at hand, or of the last one. */
  count = 0;
  /** Their bytes. */
  bytes = 0;

  /**
   * @param doing - stands in front of what the server says where it answers with an error
   * @param emit - gets whole tuples
   */
  constructor(doing: string, memory: Pool, emit: (rows: Rows) => void) {
    this.#doing = doing;
    this.#memory = memory;
    this.#emit = emit;
  }

  /** The last whole tuple: a view that is valid until the next push. */
  get last(): Buffer {
    return this.#piece.subarray(this.#last, this.#end);
  }

  /**
   * @param chunk - bytes as they come, cut anywhere, but of one reply only
   * @returns true when the reply has come to its end
   * @throws TntarError the server's, where the reply is an error
   */
  push(chunk: Buffer): boolean {
    let body = chunk;
    if (this.#missing === undefined) {
      const head = Buffer.concat([this.#head, chunk]);
      const start = this.#readHead(head);
      this.#head = start === undefined ? head : NOTHING;
      if (start === undefined) return false;
      body = head.subarray(start);
    } else this.#missing -= chunk.length;
    if ((this.#missing ?? 0) < 0) throw this.#broken('more bytes than its length says');
    this.#gather(body);
    if (this.#missing !== 0) return false;
    if (this.#tuplesLeft > 0 || this.#end < this.#filled) {
      throw this.#broken('rows that do not fill it');
    }
    this.#missing = undefined;
    return true;
  }

  /** Hands out what is gathered so far. */
  flush(): void {
    if (this.#gathered === 0) return;
    const piece = this.#piece;
    const rest = piece.subarray(this.#end, this.#filled);
    this.#piece = rest.length === 0 ? NOTHING : this.#memory.take(2 * rest.length);
    rest.copy(this.#piece);
    this.#emit({
      count: this.#gathered,
      bytes: piece.subarray(0, this.#end),
      largest: this.#largest,
      release: this.#memory.releaseOf(piece),
    });
    this.#gathered = 0;
    this.#largest = 0;
    this.#last = 0;
    this.#end = 0;
    this.#filled = rest.length;
  }

  /** @returns where the first tuple starts; undefined while more bytes are needed */
  #readHead(bytes: Buffer): number | undefined {
    if (bytes.length < LENGTH_BYTES) return undefined;
    const whole = LENGTH_BYTES + packetLength(bytes, 0, Number.MAX_SAFE_INTEGER);
    if (bytes.length < Math.min(whole, HEAD_BYTES)) return undefined;
    const packet = readPacket(bytes, LENGTH_BYTES, Math.min(whole, bytes.length));
    if (isError(packet)) {
      if (whole > MAX_ERROR_BYTES) throw this.#broken(`an error of ${whole} bytes`);
      if (bytes.length < whole) return undefined;
      throw replyError(packet, this.#doing);
    }
    // A reply's body is {IPROTO_DATA: [tuple, …]}.
    const array = packet.body + 2;
    if (bytes[packet.body] !== 0x81 || bytes[packet.body + 1] !== Key.DATA) {
      throw this.#broken('a body without rows');
    }
    const isWhole = array < whole && array + headerSize(bytes, array) <= whole;
    if (!isWhole || !isArray(bytes[array]!)) throw this.#broken('rows that are no array');
    this.#tuplesLeft = memberCount(bytes, array);
    this.#missing = whole - bytes.length;
    this.count = 0;
    this.bytes = 0;
    return array + headerSize(bytes, array);
  }

  #gather(body: Buffer): void {
    for (let pos = 0; pos < body.length; ) {
      if (this.#filled === this.#piece.length) this.#makeRoom();
      const copied = body.copy(this.#piece, this.#filled, pos);
      pos += copied;
      this.#filled += copied;
      this.#walk();
    }
  }

  #makeRoom(): void {
    this.#walk();
    this.flush();
    if (this.#filled < this.#piece.length) return;
    if (this.#filled >= MAX_TUPLE_BYTES) {
      throw new TntarError('failure', `${this.#doing}: a tuple of over ${MAX_TUPLE_BYTES} bytes`, {
        hint: 'the format of archives does not allow larger tuples',
      });
    }
    const full = this.#piece;
    this.#piece = this.#memory.take(Math.min(2 * this.#filled, MAX_TUPLE_BYTES));
    full.copy(this.#piece, 0, 0, this.#filled);
    this.#memory.give(full);
  }

  /** Counts the tuples that have become whole. */
  #walk(): void {
    let end = this.#end;
    let last = this.#last;
    let count = 0;
    while (count < this.#tuplesLeft) {
      const next = this.#after(end);
      if (next === INCOMPLETE) break;
      if (next < 0) throw this.#broken('a row that is no tuple');
      if (next - end > this.#largest) this.#largest = next - end;
      last = end;
      end = next;
      count++;
    }
    this.bytes += end - this.#end;
    this.#end = end;
    this.#last = last;
    this.#gathered += count;
    this.count += count;
    this.#tuplesLeft -= count;
  }

  /** The offset after the tuple at `start`. */
  #after(start: number): number {
    const [piece, filled] = [this.#piece, this.#filled];
    if (this.#arriving === undefined) {
      const next = skipTuple(piece, start, filled);
      if (next !== INCOMPLETE || filled - start < ARRIVING_BYTES) return next;
      this.#arriving = new Arriving();
    }
    const next = this.#arriving.walk(piece, start, filled);
    if (next !== INCOMPLETE) this.#arriving = undefined;
    return next;
  }

  #broken(what: string): TntarError {
    return new TntarError('failure', `${this.#doing}: protocol error: a reply with ${what}`);
  }
}
