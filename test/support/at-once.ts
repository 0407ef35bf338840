/** Does work that yields where it can be interrupted, without an interruption. Returns what the work returns. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
