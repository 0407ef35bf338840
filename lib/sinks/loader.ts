import type { TupleBatch } from '../backup/batch.js';
import { TntarError } from '../base/errors.js';
import { Pool } from '../base/memory.js';
import { inTurns } from '../base/turns.js';
import { errorCode, errorText, isError, replyError } from '../iproto/bodies.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode, Key, RequestType } from '../iproto/constants.js';
import { forEachPacket, type Packet, PacketSplitter } from '../iproto/packets.js';
import { storePackets } from '../iproto/requests.js';
import type { Destination } from '../schema/plan/destinations.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import { headerSize, isArray } from '../tuple/msgpack.js';
import { UNFINISHED, Walker } from '../tuple/walk.js';
import { withRoomHint } from './capacity.js';
import { InFlight, type Pending, type Tally } from './in-flight.js';

const WRITE_BYTES = 128 * 1024;
/** The size of pooled memory: a write with its prefixes. A larger one has memory of its own. */
const POOLED_BYTES = 2 * WRITE_BYTES;
const POOLED_WRITES = 16;

const CHANGED_HINT = 'check whether a trigger on the target changes or drops rows';

/**
 * Returns the offset of the tuple in a reply: the answer to an INSERT is `{DATA: [tuple]}`, with the tuple as the
 * server has stored it.
 *
 * @returns undefined if the reply has no tuple
 */
function storedTuple({ buf, body, end }: Packet): number | undefined {
  const array = body + 2;
  if (array >= end || buf[body] !== 0x81 || buf[body + 1] !== Key.DATA || !isArray(buf[array]!)) {
    return undefined;
  }
  return array + headerSize(buf, array);
}

/**
 * Returns true if the server has refused a row because its primary key exists, and such rows are skipped. An existing
 * key of another index is an error.
 *
 * Source: `ER_TUPLE_FOUND` of the server's `src/box/errcode.h`. Its text has names in single quotes up to 2.8, and
 * continues with the tuples in newer versions.
 */
function isSkipped(packet: Packet, { name, primaryIndex, onConflict }: Destination): boolean {
  if (onConflict !== 'skip' || !isError(packet)) return false;
  if (errorCode(packet) !== ErrorCode.TUPLE_FOUND) return false;
  const text = errorText(packet);
  return ["'", '"'].some((quote) =>
    text.startsWith(
      `Duplicate key exists in unique index ${quote}${primaryIndex}${quote} in space ${quote}${name}${quote}`,
    ),
  );
}

/** Returns the name of a row for a message, e.g. its key. */
export type DescribeRow = (spaceId: number, tuple: Buffer) => string;

/** Rows that are confirmed by successive replies, and the offsets of their tuples in the replies. */
interface Run {
  pending: Pending;
  first: number;
  end: number;
  from: number;
}

/**
 * Stores batches by pipelined requests, with raw bytes unchanged. A row is done when the server has answered, which
 * means that it is in the write-ahead log.
 *
 * @example
 * const loader = new Loader(connection, (_space, tuple) => showKey(tuple));
 * for (const batch of batches) await loader.load(batch, destinations.get(batch.space.id));
 * await loader.finish();
 */
export class Loader {
  readonly #connection: Connection;
  readonly #release: () => void;
  readonly #describeRow: DescribeRow;
  readonly #inFlight = new InFlight();
  readonly #memory = new Pool(POOLED_BYTES, POOLED_WRITES);
  /** Counts by the name of the space, in the order of the rows. */
  readonly tallies = new Map<string, Tally>();

  constructor(connection: Connection, describeRow: DescribeRow) {
    this.#connection = connection;
    this.#describeRow = describeRow;
    const splitter = new PacketSplitter();
    this.#release = connection.takeOver({
      onChunk: (chunk) => {
        splitter.push(chunk, (block) => this.#takeReplies(block));
        this.#inFlight.wake();
      },
      onLost: (error) => {
        this.#inFlight.giveUp();
        this.#inFlight.fail(error);
      },
      waitingSince: () => this.#inFlight.owedSince,
      mayWaitForQuorum: () => true,
    });
  }

  /**
   * Resolves when the last row of the batch is written to the connection.
   *
   * @param destination - the target's space, which may have another id than that of the batch
   * @throws TntarError that names space and key, as soon as the server refuses a row
   */
  async load(batch: TupleBatch, destination: Destination): Promise<void> {
    if (destination.id <= SYSTEM_ID_MAX) throw new Error('rows of user spaces are not definitions');
    const { bytes } = batch;
    const firstSync = this.#connection.reserveSyncs(batch.count);
    const offsets = new Uint32Array(batch.count + 1);
    const tally = this.#tallyOf(batch.space.name);
    const pending = { batch, destination, tally, firstSync, answered: 0, offsets };
    this.#inFlight.open(pending);
    const type = destination.onConflict === 'replace' ? RequestType.REPLACE : RequestType.INSERT;
    const tuples = { type, spaceId: destination.id, bytes, offsets };
    const walker = new Walker();
    let index = 0;
    let pos = 0;
    while (pos < bytes.length) {
      await this.#inFlight.room();
      // One write has as many tuples as fit.
      const first = index;
      const lastFree = first + this.#inFlight.free;
      const start = pos;
      while (index < lastFree && pos < bytes.length && pos - start < WRITE_BYTES) {
        pos = walker.begin(bytes, pos, bytes.length);
        if (pos === UNFINISHED) pos = await inTurns(walker.rest());
        index++;
        offsets[index] = pos;
      }
      const rows = index - first;
      const memory = this.#memory.take();
      const packets = storePackets(tuples, first, index, firstSync + first, memory);
      this.#inFlight.sent(pending, rows, pos - start);
      this.#connection.write(packets, () => this.#memory.give(memory));
    }
  }

  #tallyOf(space: string): Tally {
    const known = this.tallies.get(space);
    if (known !== undefined) return known;
    const tally = { sent: 0, confirmed: 0, bytes: 0, skipped: 0 };
    this.tallies.set(space, tally);
    return tally;
  }

  /** Resolves when all rows are confirmed, and releases the connection. */
  async finish(): Promise<void> {
    await this.#inFlight.all();
    this.#release();
  }

  /** Waits a short time for outstanding answers. */
  settle(): Promise<void> {
    return this.#inFlight.settle();
  }

  /** Handles replies. Rows of successive replies are confirmed at once. */
  #takeReplies(block: Buffer): void {
    let run: Run | undefined;
    let written = 0;
    forEachPacket(block, (packet) => {
      const { sync, end } = packet;
      const pending = this.#inFlight.of(sync);
      if (pending === undefined) {
        this.#connection.passOver(packet);
        return;
      }
      const index = sync - pending.firstSync;
      const size = pending.offsets[index + 1]! - pending.offsets[index]!;
      if (isSkipped(packet, pending.destination)) {
        this.#inFlight.skipped(pending, size);
        return;
      }
      if (isError(packet)) {
        const error = replyError(packet, this.#describe(pending, index));
        this.#inFlight.failed(1, withRoomHint(error));
        return;
      }
      const tuple = storedTuple(packet);
      if (tuple === undefined || end - tuple !== size) {
        this.#failAsChanged(pending, index, 1);
        return;
      }
      if (run?.pending !== pending || run.end !== index) {
        if (run !== undefined) this.#confirm(block, run);
        run = { pending, first: index, end: index, from: written };
      }
      // The tuples are moved together, so that one call can compare them.
      block.copyWithin(written, tuple, end);
      written += size;
      run.end++;
    });
    if (run !== undefined) this.#confirm(block, run);
  }

  #confirm(block: Buffer, { pending, first, end, from }: Run): void {
    const { batch, offsets } = pending;
    const start = offsets[first]!;
    const size = offsets[end]! - start;
    const rows = end - first;
    if (batch.bytes.compare(block, from, from + size, start, offsets[end]!) !== 0) {
      const isSame = (i: number): boolean => {
        const at = from + offsets[i]! - start;
        const stored = block.subarray(at, at + offsets[i + 1]! - offsets[i]!);
        return stored.equals(batch.bytes.subarray(offsets[i]!, offsets[i + 1]!));
      };
      let changed = first;
      while (isSame(changed)) changed++;
      this.#failAsChanged(pending, changed, rows);
      return;
    }
    this.#inFlight.confirmed(pending, rows, size);
  }

  #describe({ batch, offsets }: Pending, index: number): string {
    const tuple = batch.bytes.subarray(offsets[index]!, offsets[index + 1]!);
    return `space '${batch.space.name}', row ${this.#describeRow(batch.space.id, tuple)}`;
  }

  /** @param rows - the number of rows that were answered before */
  #failAsChanged(pending: Pending, index: number, rows: number): void {
    const where = this.#describe(pending, index);
    const message = `${where}: the target stored a different row than the one that was sent`;
    this.#inFlight.failed(rows, new TntarError('failure', message, { hint: CHANGED_HINT }));
  }
}
