import { TntarError } from '../base/errors.js';
import { decode, type Value } from '../tuple/codec.js';
import { splitFields } from '../tuple/fields.js';
import {
  countValues,
  headerSize,
  INCOMPLETE,
  isArray,
  isMap,
  isString,
  memberCount,
  nestsDeeper,
  readUint,
  skip,
  stringBytes,
} from '../tuple/msgpack.js';
import { UNFINISHED, Walker } from '../tuple/walk.js';
import { ERROR_BIT, Key, MAX_ERROR_TEXT_BYTES, MAX_REPLY_VALUES } from './constants.js';
import { hintFor, isAccess } from './hints.js';
import { broken, type Packet } from './packets.js';

/**
 * The raw value under `key` in the packet's body.
 *
 * @returns a view into the packet's block, or undefined
 */
export function bodyValue(packet: Packet, key: number): Buffer | undefined {
  const { buf, end } = packet;
  if (packet.body >= end || !isMap(buf[packet.body]!)) return undefined;
  let pos = packet.body + headerSize(buf, packet.body);
  for (let pairs = memberCount(buf, packet.body); pairs > 0; pairs--) {
    const found = readUint(buf, pos) === key;
    const value = skip(buf, pos, end);
    // The last value of a body ends where the packet does: no need to walk through it.
    const next = pairs === 1 ? end : value < 0 ? INCOMPLETE : skip(buf, value, end);
    if (value < 0 || next < 0) throw broken('a packet whose body is cut');
    if (found) return buf.subarray(value, next);
    pos = next;
  }
  return undefined;
}

/** The depth that Lua writes by default, `encode_max_depth` of `third_party/lua-cjson/lua_cjson.h`. */
export const MAX_NESTING = 128;

/**
 * {@link bodyValue}, where it is one whole value that may be decoded, or taken apart: it is neither too deep nor
 * has it too many values.
 */
function checkedValue(packet: Packet, key: number): Buffer | undefined {
  const raw = bodyValue(packet, key);
  if (raw === undefined) return undefined;
  const end = new Walker(MAX_REPLY_VALUES).begin(raw, 0, raw.length);
  if (end !== raw.length && end !== UNFINISHED) throw broken('a packet whose body is cut');
  if (end === UNFINISHED || countValues(raw, MAX_REPLY_VALUES) > MAX_REPLY_VALUES) {
    throw broken(`a reply of more than ${MAX_REPLY_VALUES} values`);
  }
  if (nestsDeeper(raw, MAX_NESTING)) throw broken('a packet that nests too deep');
  return raw;
}

/** {@link checkedValue}, decoded; null where the body has no such key. */
export function bodyDecoded(packet: Packet, key: number): Value {
  const raw = checkedValue(packet, key);
  return raw === undefined ? null : decode(raw);
}

/**
 * Returns the rows, raw, that an expression returned as its first value.
 *
 * @throws TntarError where that is no list of rows
 */
export function returnedRows(packet: Packet): Buffer[] {
  const data = checkedValue(packet, Key.DATA);
  const [rows] = data !== undefined && isArray(data[0]!) ? splitFields(data) : [];
  const list = rows !== undefined && isArray(rows[0]!) ? splitFields(rows) : undefined;
  if (list === undefined || !list.every((row) => isArray(row[0]!))) {
    throw broken('a reply without rows');
  }
  return list.map((row) => Buffer.from(row));
}

export function isError(packet: Pick<Packet, 'type'>): boolean {
  return (packet.type & ERROR_BIT) !== 0;
}

/** The server's own code of an error, `src/box/errcode.h`. */
export function errorCode({ type }: Packet): number {
  return type & ~ERROR_BIT;
}

/** Returns what the server says of an error; a text of over {@link MAX_ERROR_TEXT_BYTES} is cut. */
export function errorText(packet: Packet): string {
  const text = bodyValue(packet, Key.ERROR_TEXT);
  if (text === undefined || text.length === 0 || !isString(text[0]!)) return 'no text';
  const bytes = Buffer.from(stringBytes(text, 0).subarray(0, MAX_ERROR_TEXT_BYTES + 1));
  if (bytes.length <= MAX_ERROR_TEXT_BYTES) return bytes.toString();
  return `${bytes.toString('utf8', 0, MAX_ERROR_TEXT_BYTES).replace(/\ufffd$/, '')}…`;
}

/**
 * Matches the hash of a password in a row of `_user` that the server quotes, as it does where a key is taken:
 * JSON of a sort, which may be cut.
 */
const PASSWORD_HASH = /("(?:chap-sha1|pap-sha256)"\s*:\s*)"[^"]*(?:"|$)/g;

/** Characters of an error's text that are shown. What comes later are tuples that the server quotes. */
const SHOWN_CHARACTERS = 4000;

/**
 * The error that a reply carries, without the hashes of passwords.
 *
 * @param doing - what the request was for, to stand before the server's own text
 */
export function replyError(packet: Packet, doing: string): TntarError {
  const code = errorCode(packet);
  const whole = errorText(packet).replace(PASSWORD_HASH, '$1"***"');
  const text = whole.length > SHOWN_CHARACTERS ? `${whole.slice(0, SHOWN_CHARACTERS)}…` : whole;
  const kind = isAccess(code) ? 'access' : 'failure';
  return new TntarError(kind, `${doing}: ${text} (server error ${code})`, {
    serverCode: code,
    hint: hintFor(code, text),
  });
}
