import type { LookupAddress } from 'node:dns';
import { createRequire } from 'node:module';
import type { LookupFunction, Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { defined } from '../base/defined.js';
import type { Attempt } from './addresses.js';
import type { Endpoint } from './uri.js';

/**
 * The driver's part of a connection: it opens the socket (TCP, unix, TLS) and logs in. Its data path
 * decodes tuples with loss, so as soon as it is logged in its socket is taken over. This file holds
 * all that is assumed of it; `test/integration/driver.test.ts` fails where a new version differs.
 */
interface Driver {
  socket: Socket | undefined;
  connect(): Promise<void>;
  on(event: 'error', listener: (error: unknown) => void): void;
  _auth(user: string, password: string): Promise<unknown>;
}

/** Globals that the driver's `lib/const.js` assigns while it loads: it declares neither. */
const LEAKED_GLOBALS = ['k', 't'];

/** Loads the driver. The globals of the host program stay as they are. */
function loadDriver(): new (options: object) => Driver {
  const before = LEAKED_GLOBALS.map((name) => ({
    name,
    property: Object.getOwnPropertyDescriptor(globalThis, name),
  }));
  // a global of the host may have a setter, or be read-only
  for (const name of LEAKED_GLOBALS) {
    Reflect.defineProperty(globalThis, name, { configurable: true, writable: true });
  }
  try {
    // The package is CommonJS and has no type declarations.
    return createRequire(import.meta.url)('tarantool-driver');
  } finally {
    for (const { name, property } of before) {
      if (property === undefined) Reflect.deleteProperty(globalThis, name);
      else Reflect.defineProperty(globalThis, name, property);
    }
  }
}

const TarantoolDriver = loadDriver();

/** The options of a connection. */
export interface ConnectOptions extends Endpoint {
  /** Milliseconds until the server must have greeted us and taken the login. Default 10,000. */
  connectTimeout?: number;
  /** Gives up connecting. */
  signal?: AbortSignal;
  /**
   * Present: speak TLS, with these options of `tls.connect`, which by default refuses a server whose
   * certificate is not good.
   *
   * @example
   * const tls = { ca: readFileSync('ca.pem'), cert: readFileSync('us.pem'), key: readFileSync('us.key') };
   */
  tls?: TlsOptions;
}

/** Bytes that one read takes at most. */
const READ_BYTES = 256 * 1024;

/**
 * Where the bytes of a socket go. It is read into one buffer, again and again (`onread` of
 * `net.connect`), which makes for large chunks, and without TLS for a pause that holds from the very
 * next byte on.
 */
class Inlet {
  /** Gets each chunk, which is valid during the call only. */
  listener: (chunk: Buffer) => void = () => {};
  readonly #memory = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly onread = {
    buffer: this.#memory,
    callback: (bytes: number): boolean => {
      this.listener(this.#memory.subarray(0, bytes));
      return true;
    },
  };
}

/** A driver that is connected, and not logged in. */
export interface Line {
  driver: Driver;
  inlet: Inlet;
  socket: Socket;
  /** Resolves when the driver has taken the greeting. */
  greeted: Promise<void>;
  /** Rejects with what goes wrong at the socket from now on. */
  failed: Promise<never>;
}

/** Begins to connect to one address, or to where there is nothing to look up. */
export function dial(options: ConnectOptions, address: LookupAddress | undefined): Attempt<Line> {
  const inlet = new Inlet();
  const driver = new TarantoolDriver({
    ...(options.path === undefined
      ? { host: options.host, port: options.port }
      : { path: options.path }),
    ...defined({ tls: options.tls }),
    // The name stays, for TLS and for messages. Node's own choice among addresses gives each but the last
    // 250 ms, and the last one may be dead.
    ...(address === undefined ? {} : { autoSelectFamily: false, lookup: lookupOf(address) }),
    // No user and no password: it would not log in with an empty one, and would hand both to
    // net.connect, which NODE_DEBUG=net prints.
    lazyConnect: true,
    retryStrategy: null,
    onread: inlet.onread,
  });
  // It rejects with "Connection is closed."; the true reason is its first error event.
  const failed = new Promise<never>((_resolve, reject) => driver.on('error', reject));
  const greeted = driver.connect();
  for (const promise of [failed, greeted]) promise.catch(() => {});
  let isAbandoned = false;
  const connected = new Promise<Line>((resolve, reject) => {
    failed.catch(reject);
    // The driver creates its socket in the tick after connect().
    process.nextTick(() => {
      const { socket } = driver;
      if (socket === undefined) reject(new Error('the driver has no socket'));
      else if (isAbandoned) socket.destroy();
      else socket.once('connect', () => resolve({ driver, inlet, socket, greeted, failed }));
    });
  });
  const abandon = (): void => {
    isAbandoned = true;
    driver.socket?.destroy();
  };
  return { connected, abandon };
}

/** The lookup of a name whose address is known. */
function lookupOf({ address, family }: LookupAddress): LookupFunction {
  return (_host, _options, done) => done(null, address, family);
}
