/**
 * Calls `act` when `signal` is aborted, or at once if it already is.
 *
 * @returns stops listening
 * @example
 * const release = onAbort(signal, () => stream.destroy());
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  const listener = (): void => act();
  if (signal?.aborted) act();
  signal?.addEventListener('abort', listener);
  return () => signal?.removeEventListener('abort', listener);
}
