import type { TupleBatch } from '../backup/batch.js';
import { afterAwake } from '../base/awake.js';
import type { TntarError } from '../base/errors.js';
import type { Destination } from '../schema/plan/destinations.js';

/**
 * Requests under way at once. The server takes 768 of all connections together (`net_msg_max`) and
 * stops reading beyond; some are left to others.
 */
const IN_FLIGHT_ROWS = 640;
/** New requests are written when so many have been answered: fewer, larger writes. */
const REFILL_ROWS = 256;
/** Bytes of tuples under way at once, unless a single one is larger. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
/** How long a run that failed waits to learn how far it came. */
const SETTLE_MS = 2000;

/** What became of the rows of one space, or of all. */
export interface Tally {
  /** Rows that were written to the connection. */
  sent: number;
  /** Rows that the server has confirmed. */
  confirmed: number;
  /** Their bytes. */
  bytes: number;
  /** Rows that stayed away, for the target has their keys. */
  skipped: number;
}

/** A batch that is not yet answered in full. */
export interface Pending {
  batch: TupleBatch;
  destination: Destination;
  /** Of its space. */
  tally: Tally;
  /** Number of the request with its first tuple. */
  firstSync: number;
  answered: number;
  /** Where each tuple starts, and at the end where the last one ends. */
  offsets: Uint32Array;
}

/** The rows that a server was sent and has not answered, and who waits for that. */
export class InFlight {
  readonly #pending: Pending[] = [];
  #rows = 0;
  #bytes = 0;
  /** When the server began to owe replies. */
  #owedSince = 0;
  #failure: TntarError | undefined;
  #wake: () => void = () => {};

  /** Rows that may be sent now. */
  get free(): number {
    return IN_FLIGHT_ROWS - this.#rows;
  }

  /** When the server began to owe what it owes now; undefined where it owes nothing. */
  get owedSince(): number | undefined {
    return this.#rows > 0 ? this.#owedSince : undefined;
  }

  open(pending: Pending): void {
    this.#pending.push(pending);
  }

  /** The batch that a request with this number belongs to. */
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

  /** Rows were answered well. A batch of which that is true of all is given back. */
  #answered(pending: Pending, rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    pending.answered += rows;
    if (pending.answered < pending.batch.count) return;
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    pending.batch.release?.();
  }

  /** Rows were answered, and not well: the first such error is what every wait ends with. */
  failed(rows: number, error: TntarError): void {
    this.#rows -= rows;
    this.fail(error);
  }

  fail(error: TntarError): void {
    this.#failure ??= error;
    this.wake();
  }

  /** No more answers will come. */
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
   * Waits, not for long, for what the server still owes: it refuses a row at once, and confirms those
   * before it when they are in its log.
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
