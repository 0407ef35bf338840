import { headerSize, memberCount, skip } from '../tuple/msgpack.js';

/** Where so many fields begin is remembered; where later ones do is found on the way there. */
const REMEMBERED = 100_000;

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
  /** The field that was asked for last, of those that are not remembered, and where it begins. */
  #lastNo = 0;
  #lastAt = 0;

  /** Takes the row at `start`, which is one whole array. */
  read(buf: Buffer, start: number): this {
    this.buf = buf;
    this.start = start;
    const count = memberCount(buf, start);
    let pos = start + headerSize(buf, start);
    for (let i = 0; i < count; i++) {
      if (i < REMEMBERED) this.#offsets[i] = pos;
      pos = skip(buf, pos, buf.length);
    }
    this.count = count;
    this.end = pos;
    this.#lastNo = REMEMBERED;
    return this;
  }

  /** Where a field begins; -1 where the row is too short to have it. */
  at(fieldNo: number): number {
    if (fieldNo >= this.count) return -1;
    return fieldNo < REMEMBERED ? this.#offsets[fieldNo]! : this.#walk(fieldNo);
  }

  #walk(fieldNo: number): number {
    if (this.#lastNo <= REMEMBERED || fieldNo < this.#lastNo) {
      this.#lastNo = REMEMBERED - 1;
      this.#lastAt = this.#offsets[REMEMBERED - 1]!;
    }
    for (; this.#lastNo < fieldNo; this.#lastNo++) {
      this.#lastAt = skip(this.buf, this.#lastAt, this.buf.length);
    }
    return this.#lastAt;
  }

  /** Where a field ends that the row has. */
  behind(fieldNo: number): number {
    return fieldNo + 1 < this.count ? this.at(fieldNo + 1) : this.end;
  }
}
