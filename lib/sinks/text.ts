import { Transform, type TransformCallback } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { BackupItem } from '../backup/item.js';
import { TntarError } from '../base/errors.js';
import {
  aBoolean,
  aReport,
  aText,
  checkOptions,
  checkValue,
  type Kinds,
  listOfEach,
  oneOf,
  wholeFrom,
} from '../base/option-checks.js';
import { quoted, type Report, silent, thereAre } from '../base/report.js';
import { inTurns } from '../base/turns.js';
import { rowlessReason, type Space } from '../schema/catalog/catalog.js';
import { excludedIn } from '../schema/catalog/excluded-rows.js';
import { showRow } from '../schema/catalog/keys.js';
import type { Head } from '../schema/catalog/preamble.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import { TextBuffer } from '../text/buffer.js';
import { rowWriter } from '../text/formats.js';
import { type Layout, layoutOf, widened } from '../text/layout.js';
import { INVALID_UTF8, type InvalidUtf8, TEXT_FORMATS, type TextFormat } from '../text/names.js';
import { Unrepresentable } from '../text/unrepresentable.js';
import type { RowWriter } from '../text/writer.js';
import { memberCount } from '../tuple/msgpack.js';
import { Row } from '../tuple/row.js';
import { LONG_BYTES } from '../tuple/walk.js';

/** Rows of more bytes are written in parts. */
const LARGE_ROW = 256 * 1024;

/** Options of a text. */
export interface TextOptions {
  /** The name of the space. */
  space: string;
  /** The text format; default `ndjson`. */
  format?: TextFormat;
  /** The fields in this order, by name or by number from 1; by default all. */
  fields?: readonly string[];
  /** The largest number of rows. */
  limit?: number;
  /**
   * The handling of strings that are not valid UTF-8; default `error`. The format `msgpack` writes all bytes
   * unchanged.
   */
  invalidUtf8?: InvalidUtf8;
  /**
   * Put an apostrophe before text in `csv` and `tsv` that a spreadsheet would run as a formula. Default false; an
   * error with other formats.
   */
  escapeFormulas?: boolean;
  /** Receives what is left out of the text. */
  report?: Report;
}

/** The checks of the options. */
export const TEXT: Kinds<TextOptions> = {
  space: aText,
  format: oneOf(TEXT_FORMATS),
  fields: listOfEach(aText),
  limit: wholeFrom(0),
  invalidUtf8: oneOf(INVALID_UTF8),
  escapeFormulas: aBoolean,
  report: aReport,
};

function spaceIn({ catalog }: Head, name: string): Space {
  const space = catalog.spaces.find((each) => each.name === name);
  if (space !== undefined) return space;
  throw new TntarError('usage', `space ${quoted(name)} does not exist`, {
    hint: thereAre(catalog.spaces.map((each) => each.name)),
  });
}

/** Returns the reason why a backup has no rows of a space; undefined if it has all of them. */
function absenceOf({ manifest }: Head, { id }: Space): string | undefined {
  if (manifest.only === 'schema') return 'no rows';
  return excludedIn(manifest.spaces).has(id)
    ? 'its rows are excluded: the backup has its definition only'
    : undefined;
}

/** Writes the rows of one space of a backup as text. Takes items, gives chunks. */
export class TextSink extends Transform {
  readonly #options: TextOptions;
  readonly #report: Report;
  readonly #limit: number;
  readonly #preamble = new PreambleReader();
  readonly #text = new TextBuffer();
  readonly #row = new Row();
  #layout: Layout | undefined;
  #writer: RowWriter | undefined;
  #isOver = false;
  /** The number of rows so far. */
  rows = 0;

  /** Goes on after the reader was full. */
  #resume: (() => void) | undefined;

  constructor(options: TextOptions) {
    super({ writableObjectMode: true, writableHighWaterMark: 1 });
    this.#options = options;
    this.#report = options.report ?? silent;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
  }

  /** True if the text is complete, and nothing more has to be read. */
  get hasEnough(): boolean {
    return this.#layout !== undefined && this.rows >= this.#limit;
  }

  override _transform(item: BackupItem, _encoding: string, callback: TransformCallback): void {
    this.#pushAll(this.#take(item)).then(() => callback(), callback);
  }

  override _flush(callback: TransformCallback): void {
    this.#pushAll(this.#finish()).then(() => callback(), callback);
  }

  override _read(bytes: number): void {
    this.#goOn();
    super._read(bytes);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#goOn();
    super._destroy(error, callback);
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  /** A row may be much longer than what a reader takes at a time. */
  async #pushAll(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) {
      if (this.destroyed) return;
      if (this.push(chunk)) continue;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  async *#finish(): AsyncGenerator<Buffer> {
    if (!this.#isOver && !this.hasEnough) {
      throw new TntarError('failure', 'the source stopped before its end', {
        hint: 'read the backup again; a custom source must end with an item of the kind end',
      });
    }
    const writer = this.#writer ?? this.#begin();
    writer.end();
    for (const note of writer.notes) this.#report.warn(note);
    yield this.#text.take();
  }

  async *#take(item: BackupItem): AsyncGenerator<Buffer> {
    if (item.kind === 'start') this.#preamble.start(item.manifest);
    else if (item.kind === 'end') {
      this.#preamble.end(item);
      this.#isOver = true;
    } else if (!this.#preamble.take(item)) {
      const { space } = this.#known();
      if (item.space.id === space.id && !this.hasEnough) yield* this.#rowsOf(item.bytes);
      item.release?.();
    }
  }

  #known(): Layout {
    if (this.#layout !== undefined) return this.#layout;
    const { space: name, fields } = this.#options;
    const head = this.#preamble.head();
    const space = spaceIn(head, name);
    const reason = rowlessReason(space) ?? absenceOf(head, space);
    if (reason !== undefined) this.#report.warn(`${quoted(name)}: ${reason}`);
    this.#layout = layoutOf(head.catalog, space, fields);
    return this.#layout;
  }

  /** @param count - the number of fields of the first row, if there is one */
  #begin(count = 0): RowWriter {
    const layout = widened(this.#known(), count);
    try {
      const writer = rowWriter(this.#options, this.#text, layout);
      writer.begin();
      this.#writer = writer;
      return writer;
    } catch (error) {
      if (!(error instanceof Unrepresentable)) throw error;
      const { message, hint } = error;
      throw new TntarError('failure', `space ${quoted(layout.space.name)}: ${message}`, { hint });
    }
  }

  async *#rowsOf(bytes: Buffer): AsyncGenerator<Buffer> {
    const row = this.#row;
    const writer = this.#writer ?? this.#begin(memberCount(bytes, 0));
    for (let pos = 0; pos < bytes.length && !this.hasEnough; pos = row.end) {
      try {
        if (bytes.length - pos < LONG_BYTES) row.read(bytes, pos);
        else await inTurns(row.readInTurns(bytes, pos));
        if (row.end - pos < LARGE_ROW) writer.row(row);
        else yield* this.#pieces(writer);
      } catch (error) {
        throw error instanceof Unrepresentable ? this.#failed(error, writer.fieldNo) : error;
      }
      this.rows++;
      if (this.#text.isFull) yield this.#text.take();
    }
  }

  /** Writes a large row in parts. The process can handle other work in between. */
  async *#pieces(writer: RowWriter): AsyncGenerator<Buffer> {
    for (const _ of writer.pieces(this.#row)) {
      if (this.#text.isFull) yield this.#text.take();
      await setImmediate();
    }
  }

  #failed({ message, hint }: Unrepresentable, fieldNo: number): TntarError {
    const { buf, start, end } = this.#row;
    const { space, columns } = this.#known();
    const raw = buf.subarray(start, end);
    const name = columns.find((column) => column.fieldNo === fieldNo)?.name ?? fieldNo + 1;
    const field = fieldNo < 0 ? '' : `, field ${quoted(name)}`;
    const where = `space ${quoted(space.name)}, row ${showRow(raw, space.primaryKey?.parts ?? [])}${field}`;
    return new TntarError('failure', `${where}: ${message}`, { hint });
  }
}

/**
 * Turns the rows of one space of a backup into text; see `docs/reference/text-forms.md` for how each type reads.
 *
 * @returns takes items, gives chunks of text; its error is a TntarError: of kind `usage` for a space or a field that
 *   does not exist, of kind `failure` for a row that the format has no form for
 * @throws TntarError of kind `usage` for options that are none
 * @example
 * await pipeline(archiveSource(input), textSink({ space: 'users', format: 'csv' }), output);
 */
export function textSink(options: TextOptions): Transform {
  checkOptions('textSink', options, TEXT);
  checkValue(`textSink: option 'space'`, options.space, aText);
  return new TextSink(options);
}
