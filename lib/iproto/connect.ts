import { afterAwake } from '../base/awake.js';
import { messageOf, TntarError } from '../base/errors.js';
import { onAbort } from '../base/signals.js';
import { addressesOf, firstConnected } from './addresses.js';
import { type ConnectOptions, dial } from './driver.js';
import { type LoggedIn, logIn, loginError } from './login.js';
import { socketReason, tlsFailure } from './tls-errors.js';
import { DEFAULT_HOST, describeEndpoint } from './uri.js';

const DEFAULT_CONNECT_TIMEOUT = 10_000;

function tooLate(where: string, timeout: number, isTls: boolean): TntarError {
  return new TntarError(
    'access',
    `${where} did not complete the login within ${timeout / 1000} s`,
    {
      refused: 'connection',
      hint: isTls
        ? 'check the address, firewalls, the load of the server, and whether it uses TLS at all'
        : 'check the address, firewalls, the load of the server, and whether it requires TLS (--tls)',
    },
  );
}

/** Rejects with the reason of `signal`, when it is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  promise.catch(() => {});
  return promise;
}

/** @param stop - ends it; its reason is then what it fails with */
async function enter(options: ConnectOptions, where: string, stop: AbortSignal): Promise<LoggedIn> {
  const gaveUp = aborted(stop);
  stop.throwIfAborted();
  const host = options.path === undefined ? (options.host ?? DEFAULT_HOST) : undefined;
  const addresses = await Promise.race([addressesOf(host), gaveUp]);
  const dials = addresses.map((address) => () => dial(options, address));
  const line = await firstConnected(dials, stop);
  try {
    return await Promise.race([logIn(line, options, where), line.failed, gaveUp]);
  } catch (error) {
    line.socket.destroy();
    throw error;
  }
}

/**
 * Connects and logs in.
 *
 * @throws TntarError of kind `access` if the connection or the login is refused, `failure` where
 * the other side is no Tarantool
 */
export async function connect(options: ConnectOptions): Promise<LoggedIn> {
  const where = describeEndpoint(options);
  const timeout = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT;
  const stop = new AbortController();
  const cancel = afterAwake(timeout, () => {
    stop.abort(tooLate(where, timeout, options.tls !== undefined));
  });
  const release = onAbort(options.signal, () => stop.abort(options.signal?.reason));
  try {
    return await enter(options, where, stop.signal);
  } catch (error) {
    throw describeFailure(error, options, where);
  } finally {
    cancel();
    release();
  }
}

function describeFailure(error: unknown, options: ConnectOptions, where: string): TntarError {
  if (error instanceof TntarError) return error;
  if (options.signal?.aborted) return new TntarError('failure', 'stopped while connecting');
  const untrusted = options.tls === undefined ? undefined : tlsFailure(where, error);
  if (untrusted !== undefined) return untrusted;
  const system = (error as NodeJS.ErrnoException).code;
  if (system !== undefined) {
    return new TntarError('access', `cannot connect to ${where}: ${connectReason(error)}`, {
      refused: 'connection',
      hint: 'check that the server runs, and that its box.cfg.listen has this address',
      cause: error,
    });
  }
  return loginError(where, options.user ?? 'guest', messageOf(error), error);
}

/** A refused `localhost` is an AggregateError without a message: one error for each address. */
function connectReason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return socketReason(error);
}
