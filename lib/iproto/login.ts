import type { Socket } from 'node:net';
import { messageOf, TntarError } from '../errors.js';
import { ErrorCode, GREETING_BYTES, Key, RequestType } from './constants.js';
import { disabledIn, enableHint } from './denials.js';
import type { ConnectOptions, Line } from './driver.js';
import { type Greeting, notTarantool, parseGreeting } from './greeting.js';
import {
  bodyDecoded,
  errorCode,
  errorText,
  forEachPacket,
  isError,
  type Packet,
  PacketSplitter,
} from './packets.js';
import { bare, toPacket } from './requests.js';

/** A socket that is logged in. */
export interface LoggedIn {
  socket: Socket;
  greeting: Greeting;
  /** From now on `listener` gets each chunk, which is valid during the call only. */
  listen(listener: (chunk: Buffer) => void): void;
}

/**
 * Waits for the socket's first {@link GREETING_BYTES} bytes, however they are cut.
 *
 * @returns a function that returns all bytes that have come by the time it is called
 */
function readGreeting({ inlet, socket }: Line, where: string): Promise<() => Buffer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    inlet.listener = (chunk) => {
      seen = Buffer.concat([seen, chunk]);
      const prefix = Buffer.from('Tarantool ').subarray(0, seen.length);
      if (!seen.subarray(0, prefix.length).equals(prefix)) reject(notTarantool(where, seen));
      else if (seen.length >= GREETING_BYTES) resolve(() => seen);
    };
    socket.on('close', () => {
      const said = seen.length === 0 ? 'without a word' : 'in the middle of its greeting';
      const message = `${where} closed the connection ${said}`;
      const hint =
        'is this the binary port of a Tarantool, and does it want no client certificate?';
      reject(new TntarError('access', message, { hint }));
    });
  });
}

/**
 * Hands whole packets to the driver, until the server says something against us.
 *
 * @param came - what has come since the greeting
 * @returns resolves with that: the reply to a login, or the error of a trigger, which comes unasked, and of
 *   which the driver can make nothing
 */
function feed(
  { inlet, socket }: Line,
  where: string,
  toDriver: (packets: Buffer) => void,
  came: Buffer,
): Promise<Packet> {
  return new Promise((resolve) => {
    const splitter = new PacketSplitter();
    const take = (packets: Buffer): void => {
      let isRefused = false;
      forEachPacket(packets, (packet) => {
        if (!isError(packet)) return;
        isRefused = true;
        resolve(packet);
      });
      if (!isRefused) toDriver(packets);
    };
    inlet.listener = (chunk) => {
      try {
        splitter.push(chunk, (packets) => take(Buffer.from(packets)));
      } catch (error) {
        const message = `${where} answers the login with something else: ${messageOf(error)}`;
        socket.destroy(new TntarError('failure', message, { cause: error }));
      }
    };
    inlet.listener(came);
  });
}

/** Servers tell it since 2.11. */
async function authTypeOf({ inlet, socket }: Line, { major, minor }: Greeting): Promise<unknown> {
  if (major < 2 || (major === 2 && minor < 11)) return undefined;
  return new Promise((resolve) => {
    const splitter = new PacketSplitter();
    socket.once('close', resolve);
    inlet.listener = (chunk) => {
      try {
        splitter.push(chunk, (packets) => {
          forEachPacket(packets, (packet) => resolve(bodyDecoded(packet, Key.AUTH_TYPE)));
        });
      } catch {
        resolve(undefined);
      }
    };
    socket.write(toPacket(bare(RequestType.ID), AUTH_TYPE_SYNC));
  });
}

/** A number that the driver has not used: it counts from 1, and logs in first. */
const AUTH_TYPE_SYNC = 100;
/** The only method that the driver has, and that servers of the community have. */
const AUTH_TYPE = 'chap-sha1';

const LOGIN_HINT =
  'set TT_CLI_USERNAME and TT_CLI_PASSWORD, use --password-file, or user@host and the prompt';

/** Returns the error of a failed login, with the reason that the server gives. */
export function loginError(where: string, user: string, why: string, cause?: unknown): TntarError {
  const disabled = disabledIn(why);
  const hint = disabled === undefined ? LOGIN_HINT : enableHint(disabled);
  return new TntarError('access', `cannot log in to ${where} as '${user}': ${why}`, {
    hint,
    cause,
  });
}

/** Returns the error of a connection that the server refuses, for example by a trigger. */
export function refusedError(where: string, why: string): TntarError {
  return new TntarError('access', `${where} refused the connection: ${why}`, {
    hint: "look at the server's triggers (box.session.on_connect, on_auth) and at its log",
  });
}

const CREDENTIALS: readonly number[] = [ErrorCode.NO_SUCH_USER, ErrorCode.PASSWORD_MISMATCH];

async function describeRefusal(
  packet: Packet,
  line: Line,
  greeting: Greeting,
  where: string,
  user: string,
): Promise<TntarError> {
  const [code, text] = [errorCode(packet), errorText(packet)];
  if (!CREDENTIALS.includes(code)) {
    return disabledIn(text) === undefined
      ? refusedError(where, text)
      : loginError(where, user, text);
  }
  const authType = await authTypeOf(line, greeting);
  if (typeof authType !== 'string' || authType === AUTH_TYPE) return loginError(where, user, text);
  return new TntarError('access', `cannot log in to ${where} as '${user}': ${text}`, {
    hint: `the server's method of login is '${authType}', and tntar has ${AUTH_TYPE} only: set box.cfg.auth_type on the server to '${AUTH_TYPE}', and then set the password of '${user}' again`,
  });
}

/**
 * Logs in over a connection of the driver, which has read nothing by then.
 *
 * @throws TntarError of kind `access` where the login is refused, `failure` for what is no Tarantool
 */
export async function logIn(line: Line, options: ConnectOptions, where: string): Promise<LoggedIn> {
  const { driver, socket, greeted } = line;
  const toDriver = socket.listeners('data')[0] as (chunk: Buffer) => void;
  const said = await readGreeting(line, where);
  // Before the driver sends a login to something that is no Tarantool.
  const greeting = parseGreeting(said(), where);
  // The driver takes its first chunk for the greeting, and each later one for whole packets.
  toDriver(said().subarray(0, GREETING_BYTES));
  await greeted;
  const came = said().subarray(GREETING_BYTES);
  const { user = 'guest', password = '' } = options;
  if (user === 'guest' && password === '') return loggedIn(line, greeting, came);
  const refused = feed(line, where, toDriver, came);
  const refusal = await Promise.race([refused, driver._auth(user, password).then(() => undefined)]);
  if (refusal !== undefined) throw await describeRefusal(refusal, line, greeting, where, user);
  return loggedIn(line, greeting, Buffer.alloc(0));
}

/** @param came - since the greeting, or the login; nobody has looked at it */
function loggedIn({ inlet, socket }: Line, greeting: Greeting, came: Buffer): LoggedIn {
  let held = came;
  inlet.listener = (chunk) => {
    held = Buffer.concat([held, chunk]);
  };
  const listen = (listener: (chunk: Buffer) => void): void => {
    inlet.listener = listener;
    if (held.length > 0) listener(held);
  };
  return { socket, greeting, listen };
}
