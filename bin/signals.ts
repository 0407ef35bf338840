import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { TntarError } from '../lib/errors.js';
import { Interrupted } from './exit.js';

/** How much later than another process a signal to all may reach us. */
const SIGNAL_LAG_MS = 50;

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. A second one ends the
 * process at once.
 *
 * @throws Interrupted where a signal came
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first !== undefined) process.exit(128 + constants.signals[signal]);
    first = signal;
    controller.abort();
  };
  for (const signal of STOPPING) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    // Ctrl-C goes to all of a pipe, and what reads from us may be gone before we have heard of it.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') await sleep(SIGNAL_LAG_MS);
    if (first === undefined) throw error;
    throw new Interrupted(first, error instanceof TntarError ? error : undefined);
  } finally {
    for (const signal of STOPPING) process.off(signal, onSignal);
  }
}
