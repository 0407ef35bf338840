/**
 * How long a server has owed bytes and sent none. Only time in which this process ran counts, as `whileAwake`
 * measures it.
 *
 * @example
 * const silence = new Silence();
 * whileAwake(60_000, (ran) => {
 *   if (silence.pass(ran, askedAt) >= 60_000) socket.destroy();
 * });
 */
export class Silence {
  #heardAt = performance.now();
  #ms = 0;

  /** A byte came, or something was sent that asks for one. */
  end(): void {
    this.#heardAt = performance.now();
    this.#ms = 0;
  }

  /**
   * @param ran - milliseconds since the call before
   * @param owedSince - since when the server owes bytes, by `performance.now()`; undefined while it owes none
   * @returns milliseconds of silence so far
   */
  pass(ran: number, owedSince: number | undefined): number {
    const atMost =
      owedSince === undefined ? 0 : performance.now() - Math.max(this.#heardAt, owedSince);
    this.#ms = Math.min(this.#ms + ran, atMost);
    return this.#ms;
  }
}
