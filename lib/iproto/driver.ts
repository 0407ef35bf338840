import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { messageOf, TntarError } from '../errors.js';
import { GREETING_BYTES } from './constants.js';
import { PacketSplitter } from './packets.js';
import { socketReason, tlsFailure } from './tls-errors.js';
import { describeEndpoint, type Endpoint } from './uri.js';

/**
 * The driver's part of a connection: it opens the socket (TCP, unix, TLS) and logs in. Its data path
 * decodes tuples with loss, so as soon as it is logged in its socket is taken over. This file holds
 * all that is assumed of it; `test/iproto/driver.test.ts` fails where a new version differs.
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

/** How to connect, and where to. */
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

const DEFAULT_CONNECT_TIMEOUT = 10_000;

/** The first line of what a server says to a new connection, and the salt behind it. */
export interface Greeting {
  /** e.g. `2.6.0` */
  version: string;
  major: number;
  minor: number;
  /** Instance uuid; empty where the server sent none. */
  uuid: string;
}

function notTarantool(where: string, bytes: Buffer): TntarError {
  const shown = JSON.stringify(bytes.subarray(0, 32).toString('latin1'));
  return new TntarError('failure', `${where} is not a supported Tarantool (got ${shown})`, {
    hint: 'the port must be one of box.cfg.listen, and not a console or an HTTP port',
  });
}

/**
 * Reads the greeting.
 *
 * Source: the server's `src/box/iproto_constants.h` and `greeting_encode()` in `src/box/xrow.c`:
 * `Tarantool 2.6.0 (Binary) <uuid>`, padded to 64 bytes.
 */
export function parseGreeting(bytes: Buffer, where: string): Greeting {
  const line = bytes.subarray(0, 64).toString('latin1');
  const match = /^Tarantool (\d+)\.(\d+)\.(\S+) \(Binary\) ([0-9a-f-]*)/.exec(line);
  if (match === null) throw notTarantool(where, bytes);
  const [, major, minor, patch, uuid] = match;
  return {
    version: `${major}.${minor}.${patch}`,
    major: Number(major),
    minor: Number(minor),
    uuid: uuid ?? '',
  };
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

/** Resolves with the socket's first {@link GREETING_BYTES} bytes, however they are cut. */
function readGreeting(inlet: Inlet, socket: Socket, where: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    inlet.listener = (chunk) => {
      seen = Buffer.concat([seen, chunk]);
      const prefix = Buffer.from('Tarantool ').subarray(0, seen.length);
      if (!seen.subarray(0, prefix.length).equals(prefix)) {
        settle(() => reject(notTarantool(where, seen)));
      } else if (seen.length >= GREETING_BYTES) settle(() => resolve(seen));
    };
    const onClose = (): void => {
      const said = seen.length === 0 ? 'without a word' : 'in the middle of its greeting';
      const message = `${where} closed the connection ${said}`;
      const hint =
        'is this the binary port of a Tarantool, and does it want no client certificate?';
      settle(() => reject(new TntarError('access', message, { hint })));
    };
    const settle = (act: () => void): void => {
      inlet.listener = () => {};
      socket.off('close', onClose);
      act();
    };
    socket.on('close', onClose);
  });
}

/** A socket that is logged in. */
export interface LoggedIn {
  socket: Socket;
  greeting: Greeting;
  /** From now on `listener` gets each chunk, which is valid during the call only. */
  listen(listener: (chunk: Buffer) => void): void;
}

async function logIn(
  driver: Driver,
  inlet: Inlet,
  options: ConnectOptions,
  where: string,
): Promise<LoggedIn> {
  const connected = driver.connect();
  connected.catch(() => {}); // the first `error` event tells more; see connect()
  // The driver creates its socket in the tick after connect().
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const { socket } = driver;
  if (socket === undefined) throw new Error('the driver has no socket');

  const toDriver = socket.listeners('data')[0] as (chunk: Buffer) => void;
  const greetingBytes = await readGreeting(inlet, socket, where);
  // Before the driver sends a login to something that is no Tarantool.
  const greeting = parseGreeting(greetingBytes, where);
  // The driver takes its first chunk for the greeting, and each later one for whole packets.
  const splitter = new PacketSplitter();
  inlet.listener = (chunk) => {
    try {
      splitter.push(chunk, (packets) => toDriver(Buffer.from(packets)));
    } catch (error) {
      const message = `${where} answers the login with something else: ${messageOf(error)}`;
      socket.destroy(new TntarError('failure', message, { cause: error }));
    }
  };
  toDriver(greetingBytes);
  await connected;
  const { user = 'guest', password = '' } = options;
  if (user !== 'guest' || password !== '') await driver._auth(user, password);
  return {
    socket,
    greeting,
    listen: (listener) => {
      inlet.listener = listener;
    },
  };
}

/**
 * Connects and logs in.
 *
 * @throws TntarError of kind `access` where the connection or the login is refused, `failure` where
 * the other side is no Tarantool
 */
export async function connect(options: ConnectOptions): Promise<LoggedIn> {
  const where = describeEndpoint(options);
  const timeout = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT;
  const inlet = new Inlet();
  const driver = new TarantoolDriver({
    ...(options.path === undefined
      ? { host: options.host, port: options.port }
      : { path: options.path }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    // No user and no password: it would not log in with an empty one, and would hand both to
    // net.connect, which NODE_DEBUG=net prints.
    lazyConnect: true,
    retryStrategy: null,
    onread: inlet.onread,
  });
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  const gaveUp = new Promise<never>((_resolve, reject) => {
    // The driver rejects with "Connection is closed."; the true reason is its first error event.
    driver.on('error', reject);
    onAbort = () => reject(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort);
    if (options.signal?.aborted) onAbort();
    timer = setTimeout(() => {
      const seconds = timeout / 1000;
      reject(
        new TntarError('access', `${where} did not let us in within ${seconds} s`, {
          hint:
            options.tls === undefined
              ? 'is the address right, is a firewall in between, is the server overloaded, or does it speak TLS only (--tls)?'
              : 'is the address right, is a firewall in between, is the server overloaded, or does it speak no TLS?',
        }),
      );
    }, timeout);
  });
  const loggedIn = logIn(driver, inlet, options, where);
  try {
    return await Promise.race([loggedIn, gaveUp]);
  } catch (error) {
    driver.socket?.destroy();
    // The driver may have had no socket yet.
    loggedIn.then(({ socket }) => socket.destroy()).catch(() => {});
    throw describeFailure(error, options, where);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
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
      hint: 'is the server running, and does its box.cfg.listen name this address?',
      cause: error,
    });
  }
  const user = options.user ?? 'guest';
  return new TntarError('access', `cannot log in to ${where} as '${user}': ${messageOf(error)}`, {
    hint: 'set TT_CLI_USERNAME and TT_CLI_PASSWORD, use --password-file, or user@host and the prompt',
    cause: error,
  });
}

/** A refused `localhost` is an AggregateError without a message: one error for each address. */
function connectReason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return socketReason(error);
}
