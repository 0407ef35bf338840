/** Text is handed on in chunks of so many bytes, or of one row where that is larger. */
const CHUNK_BYTES = 1024 * 1024;
/** Most rows that end behind a chunk's end fit in here. */
const SLACK_BYTES = 64 * 1024;
/** For one row or one value. */
export const SMALL_BUFFER = 8 * 1024;
/** What is copied by hand rather than by a call out of JavaScript, which costs more than a few bytes. */
const FEW_BYTES = 80;
/** Whole numbers below this have their digits written by hand. */
const SMALL = 1_000_000_000;

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView =>
  new DataView(buffer, byteOffset, length);

/** Text in words of four bytes each, of which the last may have too many: what comes next covers them. */
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

/** Bytes of text that grow at their end. */
export class TextBuffer {
  readonly #size: number;
  /** So many bytes are handed on at once. */
  readonly #full: number;
  bytes: Buffer;
  view: DataView;
  length = 0;

  /** @param size - of the memory that it begins with */
  constructor(size: number = CHUNK_BYTES + SLACK_BYTES) {
    this.#size = size;
    this.#full = Math.min(size, CHUNK_BYTES);
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.view = viewOf(this.bytes);
  }

  /** True where it is time to hand on what is there. */
  get isFull(): boolean {
    return this.length >= this.#full;
  }

  /** Makes place for so many more bytes. What `bytes` was before is then no longer written to. */
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

  /** Text of which each character is a byte: ASCII, or what was read as Latin-1. */
  latin1(text: string): void {
    const { length } = text;
    this.reserve(length);
    const { bytes } = this;
    let at = this.length;
    if (length > FEW_BYTES) bytes.write(text, at, 'latin1');
    else for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
    this.length += length;
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length);
  }

  /** A whole number. */
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

  /** Bytes as they are. */
  copy(from: Buffer, start = 0, end = from.length): void {
    const count = end - start;
    this.reserve(count);
    const { bytes } = this;
    let at = this.length;
    if (count > FEW_BYTES) from.copy(bytes, at, start, end);
    else for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    this.length += count;
  }

  /** Text that is written again and again. */
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

  /** What is there, for whoever asks; writing begins anew, in other memory. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.#use(Buffer.allocUnsafeSlow(this.#size));
    this.length = 0;
    return taken;
  }

  /** Forgets what is there, and memory that one large value made it take. */
  clear(): void {
    if (this.bytes.length > this.#size) this.#use(Buffer.allocUnsafeSlow(this.#size));
    this.length = 0;
  }
}

/** The same byte four times, as an integer. */
const fourTimes = (byte: number): number => Math.imul(byte, 0x01010101);

/**
 * Copies text as long as there is nothing in it that needs a closer look: bytes below 32 and from 127 on,
 * and two more. Looks at four bytes at a time, which takes half as long.
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
   * Copies from `start` on; there has to be room.
   *
   * @returns the offset of the first byte that was not copied; `end` where all were
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
      // the highest bit of a byte is set where the byte is not plain, or one in front of it
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

  /** Copies all, and makes room for it; each `quote`, which is one of the special characters, twice. */
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
