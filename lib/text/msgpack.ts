import { arrayHeader } from '../tuple/msgpack.js';
import type { Row } from '../tuple/row.js';
import type { TextBuffer } from './buffer.js';
import type { Layout } from './layout.js';
import { PIECE_BYTES } from './strings.js';
import type { RowWriter } from './writer.js';

const NIL = 0xc0;

/**
 * Writes tuples back to back, unchanged. With chosen fields, it writes new tuples, in which missing fields are null.
 */
export class RawRows implements RowWriter {
  readonly notes: readonly string[] = [];
  readonly fieldNo = -1;
  readonly #text: TextBuffer;
  readonly #layout: Layout;

  constructor(text: TextBuffer, layout: Layout) {
    this.#text = text;
    this.#layout = layout;
  }

  begin(): void {}

  row(row: Row): void {
    const { columns, isChosen } = this.#layout;
    if (!isChosen) {
      this.#text.copy(row.buf, row.start, row.end);
      return;
    }
    this.#text.copy(arrayHeader(columns.length));
    for (const { fieldNo } of columns) {
      const at = row.at(fieldNo);
      if (at < 0) this.#text.byte(NIL);
      else this.#text.copy(row.buf, at, row.behind(fieldNo));
    }
  }

  *pieces(row: Row): Generator<void> {
    const { columns, isChosen } = this.#layout;
    if (!isChosen) {
      yield* this.#copy(row.buf, row.start, row.end);
      return;
    }
    this.#text.copy(arrayHeader(columns.length));
    for (const { fieldNo } of columns) {
      const at = row.at(fieldNo);
      if (at < 0) this.#text.byte(NIL);
      else yield* this.#copy(row.buf, at, row.behind(fieldNo));
    }
  }

  *#copy(buf: Buffer, start: number, end: number): Generator<void> {
    for (let pos = start; pos < end; pos += PIECE_BYTES) {
      this.#text.copy(buf, pos, Math.min(pos + PIECE_BYTES, end));
      if (this.#text.isFull) yield;
    }
  }

  end(): void {}
}
