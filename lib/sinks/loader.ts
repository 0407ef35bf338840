import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key } from '../iproto/constants.js';
import {
  forEachPacket,
  isError,
  type Packet,
  PacketSplitter,
  replyError,
} from '../iproto/packets.js';
import { insertPackets } from '../iproto/requests.js';
import { Pool } from '../memory.js';
import type { TupleBatch } from '../tuple/batch.js';
import { headerSize, isArray, skip } from '../tuple/msgpack.js';

/**
 * Requests under way at once. The server takes 768 of all connections together (`net_msg_max`) and
 * stops reading beyond; some are left to others.
 */
const IN_FLIGHT_ROWS = 640;
/** New requests are written when so many have been answered: fewer, larger writes. */
const REFILL_ROWS = 256;
/** Bytes of requests under way at once, unless a single one is larger. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
/** How long a run that failed waits to learn how far it came. */
const SETTLE_MS = 2000;
const WRITE_BYTES = 128 * 1024;
/** Room for such a write with its prefixes; a larger one has memory of its own. */
const POOLED_BYTES = 2 * WRITE_BYTES;
const POOLED_WRITES = 16;

const CHANGED_HINT = 'does a trigger on the target change or drop rows?';

/**
 * Where the tuple starts that a reply carries: the answer to an INSERT is `{DATA: [tuple]}`, with the
 * tuple as the server has stored it.
 *
 * @returns undefined where it carries none
 */
function storedTuple({ buf, body, end }: Packet): number | undefined {
  const array = body + 2;
  if (array >= end || buf[body] !== 0x81 || buf[body + 1] !== Key.DATA || !isArray(buf[array]!)) {
    return undefined;
  }
  return array + headerSize(buf, array);
}

/** Names a row in a message, e.g. by its key. */
export type DescribeRow = (spaceId: number, tuple: Buffer) => string;

/** What became of the rows of one space, or of all. */
export interface Tally {
  /** Rows that were written to the connection. */
  sent: number;
  /** Rows that the server has confirmed. */
  confirmed: number;
}

/** A batch that is not yet answered in full. */
interface Pending {
  batch: TupleBatch;
  /** Of its space. */
  tally: Tally;
  /** Number of the request with its first tuple. */
  firstSync: number;
  answered: number;
  /** Where each tuple starts, and at the end where the last one ends. */
  offsets: Uint32Array;
}

/** Rows that replies in a row tell of, and where the tuples of these replies begin. */
interface Run {
  pending: Pending;
  first: number;
  end: number;
  from: number;
}

/**
 * Inserts batches by pipelined requests, raw bytes as they are. It is done with a row when the server
 * has answered, which it does when the row is in its write-ahead log.
 *
 * @example
 * const loader = new Loader(connection, (_space, tuple) => showKey(tuple));
 * for (const batch of batches) await loader.load(batch, batch.space.id);
 * await loader.finish();
 */
export class Loader {
  readonly #connection: Connection;
  readonly #release: () => void;
  readonly #describeRow: DescribeRow;
  readonly #pending: Pending[] = [];
  readonly #memory = new Pool(POOLED_BYTES, POOLED_WRITES);
  #inFlight = 0;
  #inFlightBytes = 0;
  /** When the server began to owe replies. */
  #owedSince = 0;
  #failure: TntarError | undefined;
  #wake: () => void = () => {};
  /** By the name of the space, in the order in which they came. */
  readonly tallies = new Map<string, Tally>();

  constructor(connection: Connection, describeRow: DescribeRow) {
    this.#connection = connection;
    this.#describeRow = describeRow;
    const splitter = new PacketSplitter();
    this.#release = connection.takeOver({
      onChunk: (chunk) => {
        splitter.push(chunk, (block) => this.#takeReplies(block));
        this.#wake();
      },
      onLost: (error) => {
        this.#inFlight = 0;
        this.#fail(error);
      },
      waitingSince: () => (this.#inFlight > 0 ? this.#owedSince : undefined),
    });
  }

  /**
   * Resolves when the last row of the batch is written to the connection.
   *
   * @param spaceId - of the target's space, which may have another id than that of the batch
   * @throws TntarError that names space and key, as soon as the server has refused a row
   */
  async load(batch: TupleBatch, spaceId: number): Promise<void> {
    const { bytes } = batch;
    const firstSync = this.#connection.reserveSyncs(batch.count);
    const offsets = new Uint32Array(batch.count + 1);
    const tally = this.#tallyOf(batch.space.name);
    this.#pending.push({ batch, tally, firstSync, answered: 0, offsets });
    let index = 0;
    let pos = 0;
    while (pos < bytes.length) {
      await this.#room();
      // As many tuples as there is room for, in one write.
      const first = index;
      const lastFree = first + IN_FLIGHT_ROWS - this.#inFlight;
      const start = pos;
      while (index < lastFree && pos < bytes.length && pos - start < WRITE_BYTES) {
        pos = skip(bytes, pos, bytes.length);
        index++;
        offsets[index] = pos;
      }
      const rows = index - first;
      const memory = this.#memory.take();
      const tuples = { spaceId, bytes, offsets };
      const packets = insertPackets(tuples, first, index, firstSync + first, memory);
      if (this.#inFlight === 0) this.#owedSince = performance.now();
      this.#inFlight += rows;
      tally.sent += rows;
      this.#inFlightBytes += pos - start;
      this.#connection.write(packets, () => this.#memory.give(memory));
    }
  }

  #tallyOf(space: string): Tally {
    const known = this.tallies.get(space);
    if (known !== undefined) return known;
    const tally = { sent: 0, confirmed: 0 };
    this.tallies.set(space, tally);
    return tally;
  }

  /** Resolves when all rows are confirmed, and hands the connection back. */
  async finish(): Promise<void> {
    await this.#until(() => this.#inFlight === 0);
    this.#release();
  }

  /**
   * Waits, not for long, for what the server still owes: it refuses a row at once, and confirms those
   * before it when they are in its log.
   */
  async settle(): Promise<void> {
    const deadline = setTimeout(() => {
      this.#inFlight = 0;
      this.#wake();
    }, SETTLE_MS);
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(deadline);
  }

  #room(): Promise<void> {
    return this.#until(
      () =>
        this.#inFlight === 0 ||
        (this.#inFlight <= IN_FLIGHT_ROWS - REFILL_ROWS && this.#inFlightBytes < IN_FLIGHT_BYTES),
    );
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (isReached()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Rows that replies in a row tell of are confirmed at once. */
  #takeReplies(block: Buffer): void {
    let run: Run | undefined;
    let written = 0;
    forEachPacket(block, (packet) => {
      const { sync, end } = packet;
      const pending = this.#pendingOf(sync);
      if (pending === undefined) return;
      const index = sync - pending.firstSync;
      if (isError(packet)) {
        this.#inFlight--;
        this.#fail(replyError(packet, this.#describe(pending, index)));
        return;
      }
      const tuple = storedTuple(packet);
      const size = pending.offsets[index + 1]! - pending.offsets[index]!;
      if (tuple === undefined || end - tuple !== size) {
        this.#inFlight--;
        this.#failAsChanged(pending, index);
        return;
      }
      if (run?.pending !== pending || run.end !== index) {
        if (run !== undefined) this.#confirm(block, run);
        run = { pending, first: index, end: index, from: written };
      }
      // The tuples are moved together, to be compared by one call.
      block.copyWithin(written, tuple, end);
      written += size;
      run.end++;
    });
    if (run !== undefined) this.#confirm(block, run);
  }

  #confirm(block: Buffer, { pending, first, end, from }: Run): void {
    const { batch, tally, offsets } = pending;
    const start = offsets[first]!;
    const size = offsets[end]! - start;
    const rows = end - first;
    this.#inFlight -= rows;
    if (batch.bytes.compare(block, from, from + size, start, offsets[end]!) !== 0) {
      const isSame = (i: number): boolean => {
        const at = from + offsets[i]! - start;
        const stored = block.subarray(at, at + offsets[i + 1]! - offsets[i]!);
        return stored.equals(batch.bytes.subarray(offsets[i]!, offsets[i + 1]!));
      };
      let changed = first;
      while (isSame(changed)) changed++;
      this.#failAsChanged(pending, changed);
      return;
    }
    this.#inFlightBytes -= size;
    tally.confirmed += rows;
    pending.answered += rows;
    if (pending.answered === batch.count) {
      this.#pending.splice(this.#pending.indexOf(pending), 1);
      batch.release?.();
    }
  }

  #pendingOf(sync: number): Pending | undefined {
    for (const pending of this.#pending) {
      if (sync >= pending.firstSync && sync < pending.firstSync + pending.batch.count) {
        return pending;
      }
    }
    return undefined;
  }

  #describe({ batch, offsets }: Pending, index: number): string {
    const tuple = batch.bytes.subarray(offsets[index]!, offsets[index + 1]!);
    return `space '${batch.space.name}', row ${this.#describeRow(batch.space.id, tuple)}`;
  }

  #failAsChanged(pending: Pending, index: number): void {
    const where = this.#describe(pending, index);
    const message = `${where}: the target stored something else than it was sent (a trigger there?)`;
    this.#fail(new TntarError('failure', message, { hint: CHANGED_HINT }));
  }

  #fail(error: TntarError): void {
    this.#failure ??= error;
    this.#wake();
  }
}
