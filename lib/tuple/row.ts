import { headerSize, memberCount, skip } from './msgpack.js';
import { UNFINISHED, Walker } from './walk.js';

/** The number of fields whose offsets are stored. */
const REMEMBERED = 100_000;
/** Of later fields, one offset is stored after this many bytes, so that a large field is never walked over again. */
const MARK_BYTES = 4096;

/** The bytes of one row and the offsets of its fields. It is reused for the next row. */
export class Row {
  buf: Buffer = Buffer.alloc(0);
  /** The offset of the row. */
  start = 0;
  /** The offset after the last field. */
  end = 0;
  /** The number of fields. */
  count = 0;
  /** The offsets of fields; entries after the last field are from an earlier row. */
  readonly #offsets: number[] = [];
  /** The numbers of later fields, in order, and their offsets. */
  #marked: number[] = [];
  #marks: number[] = [];
  /** The later field that was read last, its offset, and the first stored one after it. */
  #lastNo = 0;
  #lastAt = 0;
  #nextMark = 0;

  /** Reads the row at `start`, which is one whole array. */
  read(buf: Buffer, start: number): this {
    let pos = this.#begin(buf, start);
    for (let i = 0; i < this.count; i++) {
      this.#remember(i, pos);
      pos = skip(buf, pos, buf.length);
    }
    this.end = pos;
    return this;
  }

  /** Reads a row that may have many values, in turns. */
  *readInTurns(buf: Buffer, start: number): Generator<void> {
    const walker = new Walker();
    let pos = this.#begin(buf, start);
    for (let i = 0; i < this.count; i++) {
      this.#remember(i, pos);
      pos = walker.begin(buf, pos, buf.length);
      if (pos === UNFINISHED) pos = yield* walker.rest();
    }
    this.end = pos;
  }

  #begin(buf: Buffer, start: number): number {
    this.buf = buf;
    this.start = start;
    this.count = memberCount(buf, start);
    if (this.#marked.length > 0) [this.#marked, this.#marks] = [[], []];
    this.#nextMark = 0;
    return start + headerSize(buf, start);
  }

  #remember(fieldNo: number, at: number): void {
    if (fieldNo < REMEMBERED) this.#offsets[fieldNo] = at;
    else if (at - (this.#marks.at(-1) ?? 0) >= MARK_BYTES) {
      this.#marked.push(fieldNo);
      this.#marks.push(at);
    }
  }

  /** Returns the offset of a field; -1 if the row does not have it. */
  at(fieldNo: number): number {
    if (fieldNo >= this.count) return -1;
    return fieldNo < REMEMBERED ? this.#offsets[fieldNo]! : this.#walk(fieldNo);
  }

  /** Walks from the last field before this one with a known offset. */
  #walk(fieldNo: number): number {
    if (fieldNo < this.#lastNo || fieldNo >= this.#nextMark) this.#findMark(fieldNo);
    for (; this.#lastNo < fieldNo; this.#lastNo++) {
      this.#lastAt = skip(this.buf, this.#lastAt, this.buf.length);
    }
    return this.#lastAt;
  }

  #findMark(fieldNo: number): void {
    let low = 0;
    let high = this.#marked.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#marked[middle]! <= fieldNo) low = middle + 1;
      else high = middle;
    }
    this.#lastNo = this.#marked[low - 1] ?? REMEMBERED - 1;
    this.#lastAt = this.#marks[low - 1] ?? this.#offsets[REMEMBERED - 1]!;
    this.#nextMark = this.#marked[low] ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the offset after an existing field. */
  behind(fieldNo: number): number {
    return fieldNo + 1 < this.count ? this.at(fieldNo + 1) : this.end;
  }
}
