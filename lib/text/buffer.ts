/** The size of a chunk of text in bytes. A chunk with a larger row is larger. */
const CHUNK_BYTES = 1024 * 1024;
/** The room for rows that end after a chunk is full; most fit. */
const SLACK_BYTES = 64 * 1024;
/** The size of a buffer for one row or one value. */
export const SMALL_BUFFER = 8 * 1024;
/** Fewer bytes are copied in JavaScript, because a call out of it costs more. */
const FEW_BYTES = 80;
/** Smaller integers are written digit by digit. */
const SMALL = 1_000_000_000;

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView =>
  new DataView(buffer, byteOffset, length);

/** Text in words of four bytes. The last word may have extra bytes, which the next text overwrites. */
export class FixedText {
  readonly words: Int32Array;
  readonly length: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    const padded = Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
    this.words = Int32Array.from({ length: padded.length / 4 }, (_, i) =>
      padded.readInt32LE(4 * i),
    );
  }
}

/** A growing buffer of text. */
export class TextBuffer {
  readonly #size: number;
  /** The number of bytes that are handed on at once. */
  readonly #full: number;
  bytes: Buffer;
  view: DataView;
  length = 0;

  /** @param size - the initial size of the memory */
  constructor(size: number = CHUNK_BYTES + SLACK_BYTES) {
    this.#size = size;
    this.#full = Math.min(size, CHUNK_BYTES);
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.view = viewOf(this.bytes);
  }

  /** True if the text should be handed on. */
  get isFull(): boolean {
    return this.length >= this.#full;
  }

  /** Makes room for more bytes. The old `bytes` are no longer written to. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.#use(larger);
  }

  #use(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Writes text with one byte for each character: ASCII, or bytes that were read as Latin-1. */
  latin1(text: string): void {
    const { length } = text;
    this.reserve(length);
    const { bytes } = this;
    let at = this.length;
    if (length > FEW_BYTES) bytes.write(text, at, 'latin1');
    else for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    this.length += length;
  }

  /** Writes any text as UTF-8. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length);
  }

  /** Writes an integer. */
  integer(value: number | bigint): void {
    if (typeof value === 'bigint' || value < 0 || value >= SMALL) {
      this.latin1(String(value));
      return;
    }
    let digits = 1;
    for (let most = 10; most <= value; most *= 10) digits++;
    this.reserve(digits);
    const { bytes } = this;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.length += digits;
  }

  /** Copies bytes unchanged. */
  copy(from: Buffer, start = 0, end = from.length): void {
    const count = end - start;
    this.reserve(count);
    const { bytes } = this;
    let at = this.length;
    if (count > FEW_BYTES) from.copy(bytes, at, start, end);
    else for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    this.length += count;
  }

  /** Writes text that is used repeatedly. */
  fixed({ words, length }: FixedText): void {
    this.reserve(4 * words.length);
    const { view } = this;
    let at = this.length;
    for (let i = 0; i < words.length; i++) {
      view.setInt32(at, words[i]!, true);
      at += 4;
    }
    this.length += length;
  }

  /** Returns the text, and starts again in new memory. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.#use(Buffer.allocUnsafeSlow(this.#size));
    this.length = 0;
    return taken;
  }

  /** Drops the text, and the memory of a very large value. */
  clear(): void {
    if (this.bytes.length > this.#size) this.#use(Buffer.allocUnsafeSlow(this.#size));
    this.length = 0;
  }
}

/** Returns an integer that has the same byte four times. */
const fourTimes = (byte: number): number => Math.imul(byte, 0x01010101);

/**
 * Copies text until a byte that needs a closer look: bytes below 32 and from 127 on, and two more. It tests four
 * bytes at a time, which takes half as long.
 */
export class PlainCopy {
  readonly #text: TextBuffer;
  readonly #isPlain: Uint8Array;
  readonly #first: number;
  readonly #second: number;
  #from: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#from);

  /** @param special - one or two characters of ASCII */
  constructor(text: TextBuffer, special: string) {
    const bytes = Buffer.from(special);
    this.#text = text;
    this.#isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
      byte >= 0x20 && byte < 0x7f && !bytes.includes(byte) ? 1 : 0,
    );
    this.#first = fourTimes(bytes.at(0)!);
    this.#second = fourTimes(bytes.at(-1)!);
  }

  /**
   * Copies from `start` on. There must be room.
   *
   * @returns the offset of the first byte that was not copied; `end` if all were copied
   */
  run(from: Buffer, start: number, end: number): number {
    if (from !== this.#from) {
      this.#from = from;
      this.#view = viewOf(from);
    }
    const source = this.#view;
    const first = this.#first;
    const second = this.#second;
    const { view, bytes } = this.#text;
    let at = this.#text.length;
    let pos = start;
    for (; pos + 4 <= end; pos += 4) {
      const four = source.getInt32(pos, true);
      // The highest bit of a byte is set if the byte, or one before it, is not plain.
      const below = four - 0x20202020;
      const above = four + 0x01010101;
      const isFirst = (four ^ first) - 0x01010101;
      const isSecond = (four ^ second) - 0x01010101;
      if (((four | below | above | isFirst | isSecond) & 0x80808080) !== 0) break;
      view.setInt32(at, four, true);
      at += 4;
    }
    const isPlain = this.#isPlain;
    for (; pos < end; pos++) {
      const byte = from[pos]!;
      if (isPlain[byte] === 0) break;
      bytes[at++] = byte;
    }
    this.#text.length = at;
    return pos;
  }

  /** Copies everything, and makes room for it. Each `quote`, which is one of the special characters, is doubled. */
  doubling(from: Buffer, start: number, end: number, quote: number): void {
    const text = this.#text;
    text.reserve(2 * (end - start));
    for (let at = start; ; at++) {
      at = this.run(from, at, end);
      if (at >= end) break;
      if (from[at] === quote) text.bytes[text.length++] = quote;
      text.bytes[text.length++] = from[at]!;
    }
  }
}
