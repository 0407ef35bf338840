import { headerSize, memberCount, skip } from '../tuple/msgpack.js';

/** One row: its bytes, and where each field begins. Used again for the next row. */
export class Row {
  buf: Buffer = Buffer.alloc(0);
  /** Of the row itself. */
  start = 0;
  /** Behind the last field. */
  end = 0;
  /** How many fields there are. */
  count = 0;
  /** Where each field begins, and behind those what was there for another row. */
  readonly offsets: number[] = [];

  /** Takes the row at `start`, which is one whole array. */
  read(buf: Buffer, start: number): this {
    this.buf = buf;
    this.start = start;
    const count = memberCount(buf, start);
    let pos = start + headerSize(buf, start);
    for (let i = 0; i < count; i++) {
      this.offsets[i] = pos;
      pos = skip(buf, pos, buf.length);
    }
    this.count = count;
    this.end = pos;
    return this;
  }

  /** Where a field begins; -1 where the row is too short to have it. */
  at(fieldNo: number): number {
    return fieldNo < this.count ? this.offsets[fieldNo]! : -1;
  }

  /** Where a field ends that is there. */
  behind(fieldNo: number): number {
    return fieldNo + 1 < this.count ? this.offsets[fieldNo + 1]! : this.end;
  }
}
