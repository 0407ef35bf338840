import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import { Interrupted } from './exit.js';
import type { Run } from './run.js';

/** The time by which a signal to a whole pipe may reach this process later than another one. */
const SIGNAL_LAG_MS = 50;

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const STRAYING = ['uncaughtException', 'unhandledRejection'] as const;

/** An error of which no part of the run hears: filters are code of others. */
function stray(error: unknown): TntarError {
  return new TntarError('failure', `an error that nothing caught: ${messageOf(error)}`, {
    cause: error,
    hint: 'check the filter for promises that are not awaited, and timers that throw; without a filter, please report this as a defect of tntar',
  });
}

/** The error of a run whose process has nothing left to do, and which is not over. */
function idle(): TntarError {
  return new TntarError('failure', 'the run waits for something that never happens', {
    hint: 'check the filter for promises that nothing settles; without a filter, please report this as a defect of tntar',
  });
}

/** Returns the error of a run that was stopped by `reason` and ended with `error`. */
function ended(reason: TntarError, error: unknown): TntarError {
  if (!(error instanceof TntarError)) return reason;
  if (error.cause === reason) return error;
  const { outcome, hint } = error;
  if (outcome === undefined) return reason;
  return new TntarError('failure', reason.message, {
    outcome,
    hint: [reason.hint, hint].filter((each) => each !== undefined).join('; '),
    cause: error,
  });
}

/**
 * Runs `work` with a signal that is aborted by the first SIGINT, SIGTERM or SIGHUP, by an error that
 * nothing caught, or when the process has nothing left to do. A second of those signals ends the process
 * at once. An error that nothing caught behind the end of `work` ends the process, too.
 *
 * @throws Interrupted where a signal came; else a TntarError that says what happened, and what the work
 *   had done by then
 * @example
 * await interruptible(run, (signal) => verify(input, { signal }));
 */
export async function interruptible<T>(
  run: Run,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stopped = controller.signal;
  let first: NodeJS.Signals | undefined;
  let failure: TntarError | undefined;
  let isOver = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first !== undefined) run.process.exit(128 + constants.signals[signal]);
    first = signal;
    controller.abort();
  };
  const fail = (error: TntarError): void => {
    if (isOver) run.end(error);
    else if (!stopped.aborted) {
      failure = error;
      controller.abort(error);
    } // else it comes of that
  };
  const onStray = (error: unknown): void => fail(stray(error));
  const onIdle = (): void => {
    // Where the abort was in vain, there is no more to wait for.
    if (stopped.aborted) run.end(failure ?? new Interrupted(first!));
    else setImmediate(fail, idle());
  };
  for (const signal of STOPPING) run.process.on(signal, onSignal);
  for (const event of STRAYING) run.process.on(event, onStray);
  run.process.on('beforeExit', onIdle);
  try {
    const result = await work(stopped);
    if (failure !== undefined) throw failure;
    return result;
  } catch (error) {
    // Ctrl-C goes to all of a pipe, and what reads from us may be gone before we have heard of it.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') await sleep(SIGNAL_LAG_MS);
    if (failure !== undefined) throw ended(failure, error);
    if (first === undefined) throw error;
    throw new Interrupted(first, error instanceof TntarError ? error : undefined);
  } finally {
    isOver = true;
    for (const signal of STOPPING) run.process.off(signal, onSignal);
    run.process.off('beforeExit', onIdle);
  }
}
