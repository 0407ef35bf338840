/** Stops this whole process for so long, timers and sockets alike, as SIGSTOP or a closed lid does. */
export function suspend(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
