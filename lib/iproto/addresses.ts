import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

/** The time for which an address is tried alone: "Connection Attempt Delay" of RFC 8305, section 5. */
const ALONE_MS = 250;

/** An attempt to connect to one address. */
export interface Attempt<T> {
  connected: Promise<T>;
  /** Gives the attempt up, even if it is connected by now. */
  abandon(): void;
}

/**
 * Returns the addresses of a host in the order in which they are tried: as the system sorts them, and the families
 * in turn, because one of them may lead nowhere (RFC 8305, section 4).
 *
 * @returns a single `undefined` where there is nothing to look up
 * @throws the system's error for a name that is unknown
 * @example
 * await addressesOf('localhost'); // [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]
 */
export async function addressesOf(
  host: string | undefined,
): Promise<(LookupAddress | undefined)[]> {
  if (host === undefined || isIP(host) !== 0) return [undefined];
  const found = await dns.lookup(host, { all: true });
  const known = new Set<string>();
  const addresses = found.filter(({ address }) => !known.has(address) && known.add(address));
  const [first, others] = [true, false].map((isFirst) =>
    addresses.filter(({ family }) => (family === addresses[0]?.family) === isFirst),
  );
  return addresses
    .flatMap((_, i) => [first?.[i], others?.[i]])
    .filter((each) => each !== undefined);
}

/**
 * Tries addresses until the first of them is connected. Each is begun when the one before has failed, or has
 * taken a while; none is given up because it is slow: the others may be worse.
 *
 * @param signal - abandons all of them
 * @throws the error of the attempt; an AggregateError with the code of the first where there were several; the
 *   reason of `signal`
 * @example
 * const socket = await firstConnected(addresses.map((address) => () => dial(address)), signal);
 */
export function firstConnected<T>(
  starts: readonly (() => Attempt<T>)[],
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const running = new Set<Attempt<T>>();
    const errors: unknown[] = [];
    const left = [...starts];
    let timer: NodeJS.Timeout | undefined;
    const end = (winner?: Attempt<T>): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      left.length = 0;
      for (const attempt of running) if (attempt !== winner) attempt.abandon();
      running.clear();
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) return onAbort();
    const next = (): void => {
      clearTimeout(timer);
      const start = left.shift();
      if (start === undefined) return;
      const attempt = start();
      running.add(attempt);
      if (left.length > 0) timer = setTimeout(next, ALONE_MS);
      attempt.connected.then(
        (connected) => {
          if (!running.has(attempt)) return;
          end(attempt);
          resolve(connected);
        },
        (error: unknown) => {
          if (!running.delete(attempt)) return;
          errors.push(error);
          if (errors.length < starts.length) next();
          else {
            end();
            reject(allFailed(errors));
          }
        },
      );
    };
    next();
  });
}

function allFailed(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (errors.length === 1) return first;
  const { code } = Object(first) as NodeJS.ErrnoException;
  return Object.assign(new AggregateError(errors), { code });
}
