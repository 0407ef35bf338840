import { FixedText, SMALL_BUFFER, TextBuffer } from './buffer.js';
import { JsonWriter } from './json.js';
import type { Layout } from './layout.js';
import { Row } from './row.js';
import { Strings } from './strings.js';
import type { RowWriter } from './writer.js';

/** What stands before, between and behind rows. */
const FRAMES = {
  ndjson: { before: '', between: '', rowEnd: '\n', behind: '' },
  json: { before: '[', between: ',', rowEnd: '', behind: '\n]\n' },
} as const;

/**
 * A row a line: an object by the names of the fields, those behind the format by their number from 1, or
 * an array where names do not tell all fields apart, or there are none. A field that a row does not have is
 * not in the object.
 */
export class JsonRows implements RowWriter {
  readonly #strings: Strings;
  readonly #text: TextBuffer;
  readonly #layout: Layout;
  readonly #json: JsonWriter;
  readonly #frame: (typeof FRAMES)[keyof typeof FRAMES];
  /** `{"id":`, `,"name":` and so on, by the number of the field. */
  readonly #keys: FixedText[] = [];
  #isFirst = true;

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
    for (const { fieldNo, name } of layout.columns) this.#keys[fieldNo] = keyOf(name);
  }

  begin(): void {
    this.#text.latin1(this.#frame.before);
  }

  row(row: Row): void {
    const { between, rowEnd, before } = this.#frame;
    if (!this.#isFirst) this.#text.latin1(between);
    this.#isFirst = false;
    if (before !== '') this.#text.byte(0x0a);
    if (this.#layout.isNamed) this.#object(row);
    else this.#array(row);
    this.#text.latin1(rowEnd);
  }

  end(): void {
    this.#text.latin1(this.#frame.behind);
  }

  get notes(): readonly string[] {
    return this.#strings.notes;
  }

  #object(row: Row): void {
    const { columns, isChosen } = this.#layout;
    const count = isChosen ? columns.length : row.count;
    this.#text.byte(0x7b);
    let hasBefore = false;
    for (let i = 0; i < count; i++) {
      const fieldNo = isChosen ? columns[i]!.fieldNo : i;
      const at = row.at(fieldNo);
      if (at < 0) continue;
      if (hasBefore) this.#text.byte(0x2c);
      hasBefore = true;
      this.#keys[fieldNo] ??= keyOf(String(fieldNo + 1));
      this.#text.fixed(this.#keys[fieldNo]);
      this.#json.value(row.buf, at);
    }
    this.#text.byte(0x7d);
  }

  #array(row: Row): void {
    const { columns, isChosen } = this.#layout;
    const count = isChosen ? columns.length : row.count;
    this.#text.byte(0x5b);
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#text.byte(0x2c);
      const at = row.at(isChosen ? columns[i]!.fieldNo : i);
      if (at < 0) this.#text.latin1('null');
      else this.#json.value(row.buf, at);
    }
    this.#text.byte(0x5d);
  }
}

function keyOf(name: string): FixedText {
  return new FixedText(`${JSON.stringify(name)}:`);
}

/**
 * One row as a line of NDJSON, without its end.
 *
 * @param tuple - one whole MessagePack array
 * @throws Unfit for what JSON cannot hold
 * @example
 * rowAsJson(tuple, layoutOf(catalog, space)); // '{"id":1,"name":"ann"}'
 */
export function rowAsJson(tuple: Buffer, layout: Layout): string {
  const text = new TextBuffer(SMALL_BUFFER);
  new JsonRows(text, layout, 'ndjson').row(new Row().read(tuple, 0));
  return text.bytes.toString('utf8', 0, text.length - 1);
}
