import { jsonText } from '../base/report.js';
import { Row } from '../tuple/row.js';
import { FixedText, SMALL_BUFFER, TextBuffer } from './buffer.js';
import { JsonWriter } from './json.js';
import type { Layout } from './layout.js';
import { Strings } from './strings.js';
import type { RowWriter } from './writer.js';

/** The limit of keys whose text is kept: a row may have a hundred million fields. */
const KEPT_KEYS = 10_000;

/** The text before, between and after rows. */
const FRAMES = {
  ndjson: { before: '', between: '', rowEnd: '\n', behind: '' },
  json: { before: '[', between: ',', rowEnd: '', behind: '\n]\n' },
} as const;

/**
 * Writes a line for each row: an object with the names of the fields, where fields without a name have their number
 * from 1; or an array if names do not distinguish all fields, or there are none. Missing fields are not in the
 * object.
 */
export class JsonRows implements RowWriter {
  readonly #strings: Strings;
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #json: JsonWriter;
  readonly #frame: (typeof FRAMES)[keyof typeof FRAMES];
  /** `{"id":`, `,"name":` and so on, by the number of the field. */
  readonly #keys: FixedText[] = [];
  readonly #names: ReadonlyMap<number, string>;
  #isFirst = true;
  #fieldNo = -1;

  constructor(
    text: TextBuffer,
    layout: Layout,
    kind: keyof typeof FRAMES,
    strings: Strings = new Strings(),
  ) {
    this.#text = text;
    this.#layout = layout;
    this.#strings = strings;
    this.#json = new JsonWriter(text, { strings });
    this.#frame = FRAMES[kind];
    this.#names = new Map(layout.columns.map(({ fieldNo, name }) => [fieldNo, name]));
  }

  begin(): void {
    this.#text.latin1(this.#frame.before);
  }

  get fieldNo(): number {
    return this.#fieldNo;
  }

  row(row: Row): void {
    this.#open();
    const count = this.#count(row);
    for (let i = 0, hasBefore = false; i < count; i++) {
      const at = this.#place(row, i);
      if (at < 0 && this.#layout.isNamed) continue;
      this.#key(hasBefore);
      hasBefore = true;
      if (at < 0) this.#text.latin1('null');
      else this.#json.value(row.buf, at);
    }
    this.#close();
  }

  *pieces(row: Row): Generator<void> {
    this.#open();
    const count = this.#count(row);
    for (let i = 0, hasBefore = false; i < count; i++) {
      const at = this.#place(row, i);
      if (at < 0 && this.#layout.isNamed) continue;
      this.#key(hasBefore);
      hasBefore = true;
      if (at < 0) this.#text.latin1('null');
      else yield* this.#json.pieces(row.buf, at);
    }
    this.#close();
  }

  #count(row: Row): number {
    const { columns, isChosen } = this.#layout;
    return isChosen ? columns.length : row.count;
  }

  /** Returns the offset of the field at position `i`; -1 if the row does not have it. */
  #place(row: Row, i: number): number {
    const { columns, isChosen } = this.#layout;
    this.#fieldNo = isChosen ? columns[i]!.fieldNo : i;
    return row.at(this.#fieldNo);
  }

  #open(): void {
    const { between, before } = this.#frame;
    this.#fieldNo = -1;
    if (!this.#isFirst) this.#text.latin1(between);
    this.#isFirst = false;
    if (before !== '') this.#text.byte(0x0a);
    this.#text.byte(this.#layout.isNamed ? 0x7b : 0x5b);
  }

  /** Writes the text before a value. */
  #key(hasBefore: boolean): void {
    if (hasBefore) this.#text.byte(0x2c);
    if (!this.#layout.isNamed) return;
    const fieldNo = this.#fieldNo;
    if (fieldNo >= KEPT_KEYS) {
      this.#text.fixed(this.#newKey(fieldNo));
      return;
    }
    this.#keys[fieldNo] ??= this.#newKey(fieldNo);
    this.#text.fixed(this.#keys[fieldNo]);
  }

  #newKey(fieldNo: number): FixedText {
    return new FixedText(`${jsonText(this.#names.get(fieldNo) ?? String(fieldNo + 1))}:`);
  }

  #close(): void {
    this.#text.byte(this.#layout.isNamed ? 0x7d : 0x5d);
    this.#text.latin1(this.#frame.rowEnd);
  }

  end(): void {
    this.#text.latin1(this.#frame.behind);
  }

  get notes(): readonly string[] {
    return this.#strings.notes;
  }
}

/**
 * Returns one row as a line of NDJSON, without a line end.
 *
 * @param tuple - one whole MessagePack array
 * @throws Unrepresentable for a value that JSON cannot hold
 * @example
 * rowAsJson(tuple, layoutOf(catalog, space)); // '{"id":1,"name":"ann"}'
 */
export function rowAsJson(tuple: Buffer, layout: Layout): string {
  const text = new TextBuffer(SMALL_BUFFER);
  new JsonRows(text, layout, 'ndjson').row(new Row().read(tuple, 0));
  return text.bytes.toString('utf8', 0, text.length - 1);
}
