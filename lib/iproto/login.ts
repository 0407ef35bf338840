import type { Socket } from 'node:net';
import { messageOf, TntarError } from '../base/errors.js';
import { bodyDecoded, errorCode, errorText, isError } from './bodies.js';
import { ErrorCode, GREETING_BYTES, Key, MAX_LOGIN_BYTES, RequestType } from './constants.js';
import { disabledIn, enableHint } from './denials.js';
import type { ConnectOptions, Line } from './driver.js';
import { type Greeting, notTarantool, parseGreeting } from './greeting.js';
import { broken, forEachPacket, type Packet, PacketSplitter } from './packets.js';
import { bare, toPacket } from './requests.js';

/** A socket that is logged in. */
export interface LoggedIn {
  socket: Socket;
  greeting: Greeting;
  /** Passes each chunk to `listener` from now on. A chunk is valid during the call only. */
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
        'check that this is the binary port of a Tarantool server, and whether it requires a client certificate';
      reject(new TntarError('access', message, { hint, refused: 'connection' }));
    });
  });
}

/**
 * Returns the packet that tells the driver of a login that was accepted. The server's own is not for the driver,
 * which decodes whatever is in it, and without any limit.
 */
function acceptance(sync: number): Buffer {
  const packet = Buffer.from('ce000000128200ce0000000001cf000000000000000080', 'hex');
  packet.writeUIntBE(sync, SYNC_AT, 6);
  return packet;
}

/** The place of the low 48 bits of the number. */
const SYNC_AT = 16;

/**
 * Waits for the answer to the login.
 *
 * @param accept - called with its number where it accepts the login
 * @param came - what has come since the greeting
 * @returns resolves with what the server says against us: in the answer, or in the error of a trigger, which comes
 *   unasked
 */
function awaitAnswer(
  { inlet, socket }: Line,
  where: string,
  accept: (sync: number) => void,
  came: Buffer,
): Promise<Packet> {
  return new Promise((resolve) => {
    const splitter = new PacketSplitter(MAX_LOGIN_BYTES);
    const take = (block: Buffer): void => {
      const packets: Packet[] = [];
      forEachPacket(block, (packet) => packets.push(packet));
      const refusal = packets.find(isError);
      if (refusal !== undefined) resolve(refusal);
      else if (packets.length > 1) throw broken('replies that no request waits for');
      else for (const { sync } of packets) accept(sync);
    };
    inlet.listener = (chunk) => {
      try {
        splitter.push(chunk, (block) => take(Buffer.from(block)));
      } catch (error) {
        const message = `${where} sent an unexpected answer to the login: ${messageOf(error)}`;
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
    const splitter = new PacketSplitter(MAX_LOGIN_BYTES);
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
    refused: 'login',
    hint,
    cause,
  });
}

/** Returns the error of a connection that the server refuses, for example by a trigger. */
export function refusedError(where: string, why: string): TntarError {
  return new TntarError('access', `${where} refused the connection: ${why}`, {
    refused: 'connection',
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
    refused: 'login',
    hint: `the server's method of login is '${authType}', and tntar has ${AUTH_TYPE} only: set box.cfg.auth_type on the server to '${AUTH_TYPE}', and then set the password of '${user}' again`,
  });
}

/**
 * Logs in over a connection of the driver, which has read nothing by then.
 *
 * @throws TntarError of kind `access` if the login is refused, `failure` for what is no Tarantool
 */
export async function logIn(line: Line, options: ConnectOptions, where: string): Promise<LoggedIn> {
  const { driver, socket, greeted } = line;
  const toDriver = socket.listeners('data')[0] as (chunk: Buffer) => void;
  const said = await readGreeting(line, where);
  // Before the driver sends a login to something that is no Tarantool.
  const greeting = parseGreeting(said(), where);
  // The driver takes its first chunk for the greeting, and the next one for the answer to its login.
  toDriver(said().subarray(0, GREETING_BYTES));
  await greeted;
  const came = said().subarray(GREETING_BYTES);
  const { user = 'guest', password = '' } = options;
  if (user === 'guest' && password === '') return loggedIn(line, greeting, came);
  const refused = awaitAnswer(line, where, (sync) => toDriver(acceptance(sync)), came);
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
