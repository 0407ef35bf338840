import { isUtf8 } from 'node:buffer';
import type { InvalidUtf8 } from './names.js';
import { hasZero, notUtf8 } from './unrepresentable.js';

/** The beginning of each string that was written as base64, so that it is not confused with text. */
const MARK = 'base64:';

/** The size of a part of a long value, which is a whole number of base64 characters. */
export const PIECE_BYTES = 48 * 1024;

/** Yields parts of valid UTF-8 without cutting a character. */
function* characters(bytes: Buffer): Generator<Buffer> {
  for (let pos = 0; pos < bytes.length; ) {
    let end = Math.min(pos + PIECE_BYTES, bytes.length);
    while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
    yield bytes.subarray(pos, end);
    pos = end;
  }
}

/**
 * Replaces and counts strings that a format cannot hold as text: those that are not valid UTF-8, and those with a
 * zero byte if a database does not accept it.
 */
export class Strings {
  readonly #how: InvalidUtf8;
  #count = 0;

  constructor(how: InvalidUtf8 = 'error') {
    this.#how = how;
  }

  /** True if different strings can become equal. */
  get isLossy(): boolean {
    return this.#how === 'replace';
  }

  /** True if strings of plain ASCII must also be checked. */
  get isMarking(): boolean {
    return this.#how === 'base64';
  }

  /** Returns true if a string can be written unchanged. */
  isText(buf: Buffer, start: number, end: number, noZero?: string): boolean {
    const bytes = buf.subarray(start, end);
    return isUtf8(bytes) && (noZero === undefined || !bytes.includes(0));
  }

  /**
   * Returns the replacement of a string.
   *
   * @param noZero - the database or the literal that cannot hold a zero byte
   * @returns valid UTF-8; undefined if the string itself is written
   * @throws Unrepresentable if no replacement is allowed
   */
  instead(buf: Buffer, start: number, end: number, noZero?: string): Buffer | undefined {
    const isText = this.isText(buf, start, end, noZero);
    const bytes = buf.subarray(start, end);
    if (isText && !(this.isMarking && bytes.toString('latin1', 0, MARK.length) === MARK)) {
      return undefined;
    }
    if (this.#how === 'error') {
      throw noZero !== undefined && isUtf8(bytes) ? hasZero(noZero) : notUtf8();
    }
    this.#count++;
    if (this.isMarking) return Buffer.from(MARK + bytes.toString('base64'));
    const text = bytes.toString();
    return Buffer.from(noZero === undefined ? text : text.replaceAll('\0', '\ufffd'));
  }

  /** Yields the same for a long string, in parts: the string itself, or its replacement. No character is cut. */
  *pieces(buf: Buffer, start: number, end: number, noZero?: string): Generator<Buffer> {
    const bytes = buf.subarray(start, end);
    const isText = this.isText(buf, start, end, noZero);
    const isMarked = this.isMarking && bytes.toString('latin1', 0, MARK.length) === MARK;
    if (isText && !isMarked) {
      yield* characters(bytes);
      return;
    }
    if (this.#how === 'error') {
      throw noZero !== undefined && isUtf8(bytes) ? hasZero(noZero) : notUtf8();
    }
    this.#count++;
    if (this.isMarking) yield Buffer.from(MARK);
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (let pos = 0; pos < bytes.length; pos += PIECE_BYTES) {
      const piece = bytes.subarray(pos, pos + PIECE_BYTES);
      if (this.isMarking) yield Buffer.from(piece.toString('base64'));
      else {
        const text = decoder.decode(piece, { stream: pos + PIECE_BYTES < bytes.length });
        yield Buffer.from(noZero === undefined ? text : text.replaceAll('\0', '\ufffd'));
      }
    }
  }

  /** Returns a line with the number of replaced strings, or no line. */
  get notes(): readonly string[] {
    if (this.#count === 0) return [];
    const strings = this.#count === 1 ? '1 string' : `${this.#count} strings`;
    return [
      this.isLossy
        ? `${strings} not valid UTF-8, or with a zero byte: U+FFFD was written in place of those bytes`
        : `${strings} not valid UTF-8, with a zero byte, or beginning with '${MARK}': written as base64`,
    ];
  }
}
