import { TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key, RequestType } from '../iproto/constants.js';
import {
  forEachPacket,
  isError,
  type Packet,
  PacketSplitter,
  replyError,
} from '../iproto/packets.js';
import { insertHead, PREFIX_BYTES, writePrefix } from '../iproto/requests.js';
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
const WRITE_BYTES = 128 * 1024;
/** Room for such a write with its prefixes; a larger one has memory of its own. */
const POOLED_BYTES = 2 * WRITE_BYTES;

const CHANGED_HINT = 'does a trigger on the target change or drop rows?';

/** The answer to an INSERT is `{DATA: [tuple]}` with the tuple as the server has stored it. */
function storedAsSent({ buf, body, end }: Packet, sent: Buffer, from: number, to: number): boolean {
  const array = body + 2;
  if (array >= end || buf[body] !== 0x81 || buf[body + 1] !== Key.DATA || !isArray(buf[array]!)) {
    return false;
  }
  const tuple = array + headerSize(buf, array);
  return end - tuple === to - from && sent.compare(buf, tuple, end, from, to) === 0;
}

/** Names a row in a message, e.g. by its key. */
export type DescribeRow = (spaceId: number, tuple: Buffer) => string;

/** A batch that is not yet answered in full. */
interface Pending {
  batch: TupleBatch;
  /** Number of the request with its first tuple. */
  firstSync: number;
  answered: number;
  /** Where each tuple starts, and at the end where the last one ends. */
  offsets: Uint32Array;
}

/**
 * Inserts batches by pipelined requests, raw bytes as they are. It is done with a row when the server
 * has answered, which it does when the row is in its write-ahead log.
 *
 * @example
 * const loader = new Loader(connection, (_space, tuple) => showKey(tuple));
 * for (const batch of batches) await loader.load(batch);
 * await loader.finish();
 */
export class Loader {
  readonly #connection: Connection;
  readonly #release: () => void;
  readonly #describeRow: DescribeRow;
  readonly #pending: Pending[] = [];
  /** Memory for writes, used again and again: what is left to the collector piles up meanwhile. */
  readonly #free: Buffer[] = [];
  #inFlight = 0;
  #inFlightBytes = 0;
  #failure: TntarError | undefined;
  #wake: () => void = () => {};
  /** Rows that the server has confirmed. */
  confirmed = 0;
  /** Rows that were written to the connection. */
  sent = 0;

  constructor(connection: Connection, describeRow: DescribeRow) {
    this.#connection = connection;
    this.#describeRow = describeRow;
    const splitter = new PacketSplitter();
    this.#release = connection.takeOver({
      onChunk: (chunk) => {
        const block = splitter.push(chunk);
        if (block !== undefined) forEachPacket(block, (packet) => this.#onReply(packet));
        this.#wake();
      },
      onLost: (error) => this.#fail(error),
      isWaiting: () => this.#inFlight > 0,
    });
  }

  /**
   * Resolves when the last row of the batch is written to the connection.
   *
   * @throws TntarError that names space and key, as soon as the server has refused a row
   */
  async load(batch: TupleBatch): Promise<void> {
    const { bytes, space } = batch;
    const head = insertHead(space.id);
    const overhead = PREFIX_BYTES + head.length;
    const firstSync = this.#connection.reserveSyncs(batch.count);
    const offsets = new Uint32Array(batch.count + 1);
    this.#pending.push({ batch, firstSync, answered: 0, offsets });
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
      const size = pos - start + rows * overhead;
      const memory = this.#free.pop() ?? Buffer.allocUnsafe(POOLED_BYTES);
      const isPooled = size <= POOLED_BYTES;
      const out = isPooled ? memory.subarray(0, size) : Buffer.allocUnsafe(size);
      let at = 0;
      for (let i = first; i < index; i++) {
        const bodyBytes = head.length + offsets[i + 1]! - offsets[i]!;
        writePrefix(out, at, RequestType.INSERT, firstSync + i, bodyBytes);
        at += PREFIX_BYTES;
        at += head.copy(out, at);
        at += bytes.copy(out, at, offsets[i]!, offsets[i + 1]!);
      }
      this.#inFlight += rows;
      this.sent += rows;
      this.#inFlightBytes += pos - start;
      this.#connection.write(out, () => this.#free.push(memory));
    }
  }

  /** Resolves when all rows are confirmed, and hands the connection back. */
  async finish(): Promise<void> {
    await this.#until(() => this.#inFlight === 0);
    this.#release();
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

  #onReply(packet: Packet): void {
    const pending = this.#pending.find(
      ({ firstSync, batch }) => packet.sync >= firstSync && packet.sync < firstSync + batch.count,
    );
    if (pending === undefined) return;
    const { batch, firstSync, offsets } = pending;
    const index = packet.sync - firstSync;
    const start = offsets[index]!;
    const end = offsets[index + 1]!;
    if (isError(packet)) {
      this.#fail(replyError(packet, this.#describe(batch, start, end)));
      return;
    }
    if (!storedAsSent(packet, batch.bytes, start, end)) {
      const where = this.#describe(batch, start, end);
      const message = `${where}: the target stored something else than it was sent (a trigger there?)`;
      this.#fail(new TntarError('failure', message, { hint: CHANGED_HINT }));
      return;
    }
    this.#inFlight--;
    this.#inFlightBytes -= end - start;
    this.confirmed++;
    pending.answered++;
    if (pending.answered === batch.count) this.#pending.splice(this.#pending.indexOf(pending), 1);
  }

  #describe(batch: TupleBatch, start: number, end: number): string {
    const row = this.#describeRow(batch.space.id, batch.bytes.subarray(start, end));
    return `space '${batch.space.name}', row ${row}`;
  }

  #fail(error: TntarError): void {
    this.#failure ??= error;
    this.#wake();
  }
}
