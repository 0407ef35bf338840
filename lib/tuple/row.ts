import { headerSize, memberCount, skip } from './msgpack.js';
import { UNFINISHED, Walker } from './walk.js';

/** Where so many fields begin is remembered. */
const REMEMBERED = 100_000;
/** Of later fields it is remembered where one begins after so many bytes: a large field is never walked over again. */
const MARK_BYTES = 4096;

/** One row: its bytes, and where each field begins. Used again for the next row. */
export class Row {
  buf: Buffer = Buffer.alloc(0);
  /** Of the row itself. */
  start = 0;
  /** Behind the last field. */
  end = 0;
  /** How many fields there are. */
  count = 0;
  /** Where each field begins, and after those what was there for another row. */
  readonly #offsets: number[] = [];
  /** Numbers of later fields, in order, and where these begin. */
  #marked: number[] = [];
  #marks: number[] = [];
  /** The later field that was asked for last, where it begins, and the first one after it that is marked. */
  #lastNo = 0;
  #lastAt = 0;
  #nextMark = 0;

  /** Takes the row at `start`, which is one whole array. */
  read(buf: Buffer, start: number): this {
    let pos = this.#begin(buf, start);
    for (let i = 0; i < this.count; i++) {
      this.#remember(i, pos);
      pos = skip(buf, pos, buf.length);
    }
    this.end = pos;
    return this;
  }

  /** Takes a row that may have many values, in turns. */
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

  /** Where a field begins; -1 where the row is too short to have it. */
  at(fieldNo: number): number {
    if (fieldNo >= this.count) return -1;
    return fieldNo < REMEMBERED ? this.#offsets[fieldNo]! : this.#walk(fieldNo);
  }

  /** Steps from the last field before this one whose beginning is known. */
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

  /** Where a field ends that the row has. */
  behind(fieldNo: number): number {
    return fieldNo + 1 < this.count ? this.at(fieldNo + 1) : this.end;
  }
}
