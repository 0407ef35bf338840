import type { TupleBatch } from '../backup/batch.js';
import { afterAwake } from '../base/awake.js';
import type { TntarError } from '../base/errors.js';
import type { Destination } from '../schema/plan/destinations.js';

/**
 * The limit of requests in flight. The server takes 768 of all connections together (`net_msg_max`), and then stops
 * reading. Some are left to other connections.
 */
const IN_FLIGHT_ROWS = 640;
/** The number of answers after which new requests are written: this makes fewer, larger writes. */
const REFILL_ROWS = 256;
/** The limit of bytes of tuples in flight, unless a single one is larger. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
/** The time that a failed run waits for outstanding answers. */
const SETTLE_MS = 2000;

/** Counts of the rows of one space, or of all. */
export interface Tally {
  /** Rows that were sent. */
  sent: number;
  /** Rows that the server has confirmed. */
  confirmed: number;
  /** Bytes of the confirmed rows. */
  bytes: number;
  /** Rows that were skipped because their keys exist on the target. */
  skipped: number;
}

/** A batch that is not answered completely. */
export interface Pending {
  batch: TupleBatch;
  destination: Destination;
  /** The tally of its space. */
  tally: Tally;
  /** The number of the request with its first tuple. */
  firstSync: number;
  answered: number;
  /** The start of each tuple, and the end of the last one. */
  offsets: Uint32Array;
}

/** The rows that a server was sent and has not answered, and the promises that wait for answers. */
export class InFlight {
  readonly #pending: Pending[] = [];
  #rows = 0;
  #bytes = 0;
  /** The time since when the server has owed answers. */
  #owedSince = 0;
  #failure: TntarError | undefined;
  #wake: () => void = () => {};

  /** The number of rows that may be sent now. */
  get free(): number {
    return IN_FLIGHT_ROWS - this.#rows;
  }

  /** The time since when the server has owed its current answers; undefined if it owes none. */
  get owedSince(): number | undefined {
    return this.#rows > 0 ? this.#owedSince : undefined;
  }

  open(pending: Pending): void {
    this.#pending.push(pending);
  }

  /** Returns the batch of the request with this number. */
  of(sync: number): Pending | undefined {
    for (const pending of this.#pending) {
      if (sync >= pending.firstSync && sync < pending.firstSync + pending.batch.count) {
        return pending;
      }
    }
    return undefined;
  }

  sent({ tally }: Pending, rows: number, bytes: number): void {
    if (this.#rows === 0) this.#owedSince = performance.now();
    this.#rows += rows;
    this.#bytes += bytes;
    tally.sent += rows;
  }

  confirmed(pending: Pending, rows: number, bytes: number): void {
    pending.tally.confirmed += rows;
    pending.tally.bytes += bytes;
    this.#answered(pending, rows, bytes);
  }

  skipped(pending: Pending, bytes: number): void {
    pending.tally.skipped++;
    this.#answered(pending, 1, bytes);
  }

  /** Records rows that were accepted. A batch is released when all of its rows were. */
  #answered(pending: Pending, rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    pending.answered += rows;
    if (pending.answered < pending.batch.count) return;
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    pending.batch.release?.();
  }

  /** Records rows that were refused. Every wait ends with the first such error. */
  failed(rows: number, error: TntarError): void {
    this.#rows -= rows;
    this.fail(error);
  }

  fail(error: TntarError): void {
    this.#failure ??= error;
    this.wake();
  }

  /** Stops waiting, because no more answers will come. */
  giveUp(): void {
    this.#rows = 0;
    this.wake();
  }

  wake(): void {
    this.#wake();
  }

  /** Resolves when more rows may be sent. */
  room(): Promise<void> {
    return this.#until(
      () =>
        this.#rows === 0 ||
        (this.#rows <= IN_FLIGHT_ROWS - REFILL_ROWS && this.#bytes < IN_FLIGHT_BYTES),
    );
  }

  /** Resolves when all rows are answered. */
  all(): Promise<void> {
    return this.#until(() => this.#rows === 0);
  }

  /**
   * Waits a short time for outstanding answers: the server refuses a row at once, and confirms the rows before it
   * when they are in its log.
   */
  async settle(): Promise<void> {
    const cancel = afterAwake(SETTLE_MS, () => this.giveUp());
    while (this.#rows > 0) await this.#change();
    cancel();
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (isReached()) return;
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
