/** The ticks in the measured time. Its end is noticed at most one tick late. */
const TICKS = 20;
const MIN_TICK_MS = 5;
const MAX_TICK_MS = 1000;
/** A tick that comes later than this many ticks says that the process did not run meanwhile. */
const LATE_TICKS = 2;

/**
 * Calls `look` again and again with the milliseconds that this process has run since the call before. Time in
 * which it was suspended (SIGSTOP, a closed lid, a virtual machine that is moved) is not counted: the other side
 * is not to blame for that silence. Bytes that have arrived are handed on before each call.
 *
 * Does not keep the process alive.
 *
 * @param ms - the time that the caller measures; the calls come 20 times in it, every second at least, and at most every 5 ms
 * @returns a function that stops the calls
 * @example
 * let silent = 0;
 * const stop = whileAwake(60_000, (ran) => {
 *   silent += ran;
 * });
 */
export function whileAwake(ms: number, look: (ran: number) => void): () => void {
  const tick = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, ms / TICKS));
  let last = performance.now();
  let isStopped = false;
  const turn = (): void => {
    if (isStopped) return;
    const now = performance.now();
    const ran = Math.min(now - last, LATE_TICKS * tick);
    last = now;
    look(ran);
  };
  // A turn of the event loop begins with its timers, then reads from sockets, then comes to this.
  const timer = setInterval(() => setImmediate(turn), tick).unref();
  return () => {
    isStopped = true;
    clearInterval(timer);
  };
}

/**
 * Calls `act` when this process has run for so long; see {@link whileAwake}.
 *
 * @returns a function that cancels the call
 * @example
 * const cancel = afterAwake(10_000, () => socket.destroy());
 */
export function afterAwake(ms: number, act: () => void): () => void {
  let left = ms;
  const stop = whileAwake(ms, (ran) => {
    left -= ran;
    if (left > 0) return;
    stop();
    act();
  });
  return stop;
}
