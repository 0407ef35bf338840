import { jsonText } from '../base/report.js';
import { decodeExact } from './codec.js';
import { Opaque } from './exact-types.js';
import { readInteger } from './integers.js';
import { Interval } from './interval.js';
import {
  headerSize,
  isArray,
  isInteger,
  isMap,
  isString,
  memberCount,
  skip,
  stringBytes,
} from './msgpack.js';

/** The limit of characters of a value in a message. */
const SHOWN = 200;
/** The limit of bytes of a binary value, or of a decoded extension, in a message. */
const SHOWN_BYTES = 64;

/** Writes values for people, until the text is long enough. */
class Shown {
  text = '';

  constructor(private readonly buf: Buffer) {}

  get isEnough(): boolean {
    return this.text.length > SHOWN;
  }

  /** @returns the offset after the value at `pos`, or after a part of it that is long enough */
  value(pos: number): number {
    const { buf } = this;
    const code = buf[pos]!;
    if (isArray(code)) return this.#members(pos, '[]', 1);
    if (isMap(code)) return this.#members(pos, '{}', 2);
    const end = skip(buf, pos, buf.length);
    this.text += this.#scalar(code, pos, end);
    return end;
  }

  #scalar(code: number, pos: number, end: number): string {
    const { buf } = this;
    if (code === 0xc0) return 'null';
    if (code === 0xc2 || code === 0xc3) return String(code === 0xc3);
    if (isInteger(code)) return String(readInteger(buf, pos));
    if (code === 0xca) return floatText(buf.readFloatBE(pos + 1));
    if (code === 0xcb) return floatText(buf.readDoubleBE(pos + 1));
    if (isString(code)) {
      const bytes = Buffer.from(stringBytes(buf, pos).subarray(0, 4 * SHOWN));
      return jsonText(bytes.toString());
    }
    const body = pos + headerSize(buf, pos);
    if (code >= 0xc4 && code <= 0xc6) {
      const shown = buf.toString('hex', body, Math.min(body + SHOWN_BYTES, end));
      return `0x${shown}${end - body > SHOWN_BYTES ? '…' : ''}`;
    }
    return end - pos > SHOWN_BYTES ? '<extension>' : extensionText(buf.subarray(pos, end));
  }

  #members(pos: number, brackets: string, perMember: number): number {
    const count = perMember * memberCount(this.buf, pos);
    let at = pos + headerSize(this.buf, pos);
    this.text += brackets[0];
    for (let i = 0; i < count && !this.isEnough; i++) {
      if (i > 0) this.text += perMember === 2 && i % 2 === 1 ? ':' : ',';
      at = this.value(at);
    }
    this.text += brackets[1];
    return at;
  }
}

/** Returns a float as text. A whole one has a point, so that it differs from an integer. */
function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function extensionText(raw: Buffer): string {
  const value = decodeExact(raw);
  if (value instanceof Opaque) return `<extension ${value.type}>`;
  if (!(value instanceof Interval)) return String(value);
  const parts = Object.entries(value.parts).filter(([, part]) => Number(part ?? 0) !== 0);
  return `{${parts.map(([name, part]) => `"${name}":${part}`).join()}}`;
}

/**
 * Returns a value for a message, on one line of limited length: text in quotes, numbers with all their digits, UUIDs,
 * decimals and datetimes as a server prints them, and binary values in hexadecimal.
 *
 * @param raw - one whole MessagePack value
 * @example
 * showBytes(Buffer.from([0x92, 0x01, 0xa1, 0x61])); // '[1,"a"]'
 */
export function showBytes(raw: Buffer): string {
  const shown = new Shown(raw);
  shown.value(0);
  return shown.isEnough ? `${shown.text.slice(0, SHOWN)}…` : shown.text;
}
