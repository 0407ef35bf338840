import { countInTurns } from '../backup/batch.js';
import type { Vclock } from '../backup/vclock.js';
import { TntarError } from '../base/errors.js';
import type { Pool } from '../base/memory.js';
import { inTurns } from '../base/turns.js';
import {
  headerSize,
  INCOMPLETE,
  isArray,
  isMap,
  memberCount,
  readUint,
  skip,
} from '../tuple/msgpack.js';
import { LONG_BYTES } from '../tuple/walk.js';
import { bodyDecoded, isError, replyError } from './bodies.js';
import type { Connection } from './connection.js';
import { ErrorCode, Key, RequestType } from './constants.js';
import { QUORUM_HINT } from './hints.js';
import { type Emit, type Parser, readItems } from './inflow.js';
import {
  KEPT_ROOM,
  LENGTH_BYTES,
  type Packet,
  PacketSplitter,
  packetLength,
  readPacket,
} from './packets.js';
import { bare, toPacket } from './requests.js';
import type { Rows } from './select-reader.js';
import { toVclock } from './vclock.js';

/** Rows of one space of a read view, or the vclock at one of its ends. */
export type ReadViewItem =
  | { kind: 'vclock'; vclock: Vclock }
  | ({ kind: 'rows'; spaceId: number } & Rows);

const DOING = 'read the snapshot';

const NO_TUPLE = 'a row that is not a whole tuple';

/** MessagePack numbers up to here are a byte. */
const MAX_FIXINT = 0x7f;

/** Below this, tuples of one space are copied out of the piece that they share with others. */
const FEW_BYTES = 64 * 1024;

function broken(what: string): TntarError {
  return new TntarError('failure', `${DOING}: protocol error: ${what}`);
}

/** Finds the space id and the tuple in a row, whose body is `{SPACE_ID: id, TUPLE: tuple}`. */
function rowAt(buf: Buffer, body: number, end: number): { spaceId: number; tuple: number } {
  const id = body + 2;
  const key = id < end ? skip(buf, id, end) : INCOMPLETE;
  if (buf[body] !== 0x82 || buf[body + 1] !== Key.SPACE_ID || key < 0) {
    throw broken('a row without a space');
  }
  if (key + 1 >= end || buf[key] !== Key.TUPLE || !isArray(buf[key + 1]!)) {
    throw broken('a row without a tuple');
  }
  return { spaceId: readUint(buf, id), tuple: key + 1 };
}

/**
 * Where the body of a row starts: what {@link readPacket} says, without an object for each of millions.
 *
 * @returns undefined for any other packet
 */
function bodyOfRow(buf: Buffer, start: number, end: number): number | undefined {
  if (start >= end || !isMap(buf[start]!)) return undefined;
  let isRow = false;
  let pos = start + headerSize(buf, start);
  for (let pairs = memberCount(buf, start); pairs > 0; pairs--) {
    // The server's keys are small numbers; anything else is for readPacket.
    const value = pos + 1;
    const next = buf[pos]! > MAX_FIXINT ? INCOMPLETE : skip(buf, value, end);
    if (next < 0) return undefined;
    if (buf[pos] === Key.REQUEST_TYPE) isRow = buf[value] === RequestType.INSERT;
    pos = next;
  }
  return isRow ? pos : undefined;
}

/** Makes items of the packets of a read view. */
class ReadViewParser {
  readonly #memory: Pool;
  readonly #emit: Emit<ReadViewItem>;
  readonly #splitter = new PacketSplitter();
  #vclocks = 0;
  /** Holds tuples of one space from `#start` to `#filled`. */
  #piece: Buffer | undefined;
  #start = 0;
  #filled = 0;
  #count = 0;
  #largest = 0;
  #spaceId = 0;

  constructor(memory: Pool, emit: Emit<ReadViewItem>) {
    this.#memory = memory;
    this.#emit = emit;
  }

  /** @returns true behind the vclock at the end */
  push(chunk: Buffer): boolean {
    this.#splitter.push(chunk, (block) => this.#takePackets(block));
    return this.#vclocks >= 2;
  }

  #takePackets(block: Buffer): void {
    // The packets are copied at once, and their tuples moved together from there: a call out of
    // JavaScript for each of them would cost more than all else here.
    let piece = this.#pieceFor(block, 0);
    let shift = this.#filled;
    let pos = 0;
    while (pos < block.length) {
      const start = pos + LENGTH_BYTES;
      const end = start + packetLength(block, pos);
      const body = bodyOfRow(block, start, end);
      const row = body === undefined ? undefined : rowAt(block, body, end);
      if (row?.spaceId !== this.#spaceId) {
        this.#flush();
        if (this.#piece === undefined) {
          piece = this.#pieceFor(block, pos);
          shift = -pos;
        }
      }
      pos = end;
      if (row === undefined) {
        this.#takeOther(readPacket(block, start, end));
        continue;
      }
      // a large one is looked at by its reader, in turns
      const isLarge = end - row.tuple >= LONG_BYTES;
      if (!isLarge && skip(block, row.tuple, end) !== end) throw broken(NO_TUPLE);
      piece.copyWithin(this.#filled, shift + row.tuple, shift + end);
      const size = end - row.tuple;
      if (size > this.#largest) this.#largest = size;
      this.#filled += size;
      this.#spaceId = row.spaceId;
      this.#count++;
    }
  }

  /** A piece that has `block[from, end)` behind what it has already. */
  #pieceFor(block: Buffer, from: number): Buffer {
    const bytes = block.length - from;
    if (this.#piece !== undefined && this.#piece.length - this.#filled < bytes) {
      this.#flush();
      if (this.#piece !== undefined) this.#memory.give(this.#piece);
      this.#reset();
    }
    if (this.#piece === undefined && from === 0 && block.length > KEPT_ROOM) {
      // One large packet, in memory that nobody else will use.
      this.#piece = block;
      return block;
    }
    this.#piece ??= this.#memory.take(bytes);
    block.copy(this.#piece, this.#filled, from);
    return this.#piece;
  }

  #takeOther(packet: Packet): void {
    if (isError(packet)) throw replyError(packet, DOING);
    if (packet.type !== RequestType.OK) throw broken(`a packet of type ${packet.type}`);
    this.#vclocks++;
    this.#emit({ kind: 'vclock', vclock: toVclock(bodyDecoded(packet, Key.VCLOCK)) }, 0);
  }

  /** Hands out the tuples that are gathered: a few as a copy, or small spaces would take much memory. */
  #flush(): void {
    const piece = this.#piece;
    if (piece === undefined || this.#count === 0) return;
    const gathered = piece.subarray(this.#start, this.#filled);
    const isFew = gathered.length < FEW_BYTES;
    const bytes = isFew ? Buffer.from(gathered) : gathered;
    const release = isFew ? () => {} : this.#memory.releaseOf(piece);
    const [count, largest] = [this.#count, this.#largest];
    const rows = { spaceId: this.#spaceId, count, bytes, largest, release };
    this.#emit({ kind: 'rows', ...rows }, bytes.length);
    this.#count = 0;
    this.#largest = 0;
    this.#start = this.#filled;
    if (!isFew) this.#reset();
  }

  #reset(): void {
    this.#piece = undefined;
    this.#start = 0;
    this.#filled = 0;
  }
}

/** Codes of `src/box/errcode.h` of a server, or for a user, without a read view. */
const NO_READ_VIEW: readonly (number | undefined)[] = [
  ErrorCode.ACCESS_DENIED,
  // wal_mode = 'none'
  ErrorCode.UNSUPPORTED,
  // 1.10
  ErrorCode.UNKNOWN_REQUEST_TYPE,
];

/**
 * Tells whether an error says that this user or this server has no read view. Any other error, such as that of a
 * quorum that was not reached, is no reason to read in another way.
 */
export function isWithoutReadView(error: unknown): error is TntarError {
  return error instanceof TntarError && NO_READ_VIEW.includes(error.serverCode);
}

/** Adds to an error about a quorum that a read without a read view does not wait for it. */
function withOtherSource(error: unknown): unknown {
  if (!(error instanceof TntarError) || error.hint !== QUORUM_HINT) return error;
  return TntarError.wrap(error, {
    hint: `${QUORUM_HINT}; a dump with --source select does not wait, and is not consistent`,
  });
}

/** Looks at each of some rows of which one is large, in turns. */
async function checkRows({ bytes, count }: Rows): Promise<void> {
  const counted = await inTurns(countInTurns(bytes));
  if (!('count' in counted) || counted.count !== count) throw broken(NO_TUPLE);
}

/**
 * The server's read view, over the connection: one cut of all spaces but local and temporary ones,
 * while writes go on. First comes the vclock of the cut, last the vclock at the end; after it the
 * connection takes requests again. A reader that stops before has to close the connection.
 *
 * Source: `box_process_fetch_snapshot()` in the server's `src/box/box.cc`.
 *
 * @throws TntarError of kind `access` if the user may not read the universe; see
 * {@link isWithoutReadView} for servers that have none
 */
export async function* readView(connection: Connection): AsyncGenerator<ReadViewItem> {
  const start = (emit: Emit<ReadViewItem>): Parser => {
    const parser = new ReadViewParser(connection.memory, emit);
    connection.write(toPacket(bare(RequestType.FETCH_SNAPSHOT), connection.nextSync()));
    return (chunk) => parser.push(chunk);
  };
  try {
    const items = readItems(connection, start, { gather: true, mayWaitForQuorum: true });
    for await (const item of items) {
      if (item.kind === 'rows' && item.largest >= LONG_BYTES) await checkRows(item);
      yield item;
    }
  } catch (error) {
    throw withOtherSource(error);
  }
}
