import { whileAwake } from '../base/awake.js';
import type { TntarError } from '../base/errors.js';

/** A connection whose server may fall silent. */
export interface Watched {
  /** The time since which the server owes bytes, by `performance.now()`; undefined while it owes none. */
  owedSince(): number | undefined;
  /** True if the request may take any time, as long as the server answers a ping. */
  isPatient(): boolean;
  /** Sends a request that a live server answers at once. */
  ping(): void;
  /** Asks over another connection for the reason, if one may be found. Never fails. */
  explain(): Promise<TntarError | undefined>;
  /** @param reason - undefined if none is known */
  giveUp(reason: TntarError | undefined): void;
}

/**
 * Gives up a server that owes bytes and has sent none for too long. Only time in which this process ran counts,
 * and no byte that has arrived is overlooked; see {@link whileAwake}.
 *
 * @example
 * const watch = new SilenceWatch(60_000, watched);
 * socket.on('data', () => watch.heard());
 * socket.on('close', () => watch.stop());
 */
export class SilenceWatch {
  readonly #timeout: number;
  readonly #watched: Watched;
  readonly #stop: () => void;
  #heardAt = performance.now();
  /** Milliseconds of silence. */
  #ms = 0;
  #isPinged = false;
  #isAsking = false;
  #isStopped = false;

  /** @param timeout - milliseconds; 0: a server may be silent for ever */
  constructor(timeout: number, watched: Watched) {
    this.#timeout = timeout;
    this.#watched = watched;
    this.#stop = timeout === 0 ? () => {} : whileAwake(timeout, (ran) => void this.#look(ran));
  }

  /** Restarts the wait. Call for each byte that comes. */
  heard(): void {
    this.#isPinged = false;
    this.#restart();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stop();
  }

  #restart(): void {
    this.#heardAt = performance.now();
    this.#ms = 0;
  }

  #count(ran: number): void {
    const since = this.#watched.owedSince();
    const atMost = since === undefined ? 0 : performance.now() - Math.max(this.#heardAt, since);
    this.#ms = Math.min(this.#ms + ran, atMost);
  }

  async #look(ran: number): Promise<void> {
    this.#count(ran);
    if (this.#isAsking || this.#ms < this.#timeout) return;
    if (this.#watched.isPatient() && !this.#isPinged) {
      this.#isPinged = true;
      this.#restart();
      this.#watched.ping();
      return;
    }
    this.#isAsking = true;
    const reason = await this.#watched.explain();
    this.#isAsking = false;
    // A byte may have come meanwhile, or the connection may have ended.
    if (!this.#isStopped && this.#ms >= this.#timeout) this.#watched.giveUp(reason);
  }
}
