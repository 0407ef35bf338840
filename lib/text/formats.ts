import type { TextBuffer } from './buffer.js';
import { CsvRows } from './csv.js';
import { InsertRows } from './insert.js';
import type { Layout } from './layout.js';
import type { InvalidUtf8, TextFormat } from './names.js';
import { JsonRows } from './ndjson.js';
import { PostgresRows } from './postgres.js';
import { RawRows } from './raw.js';
import { Strings } from './strings.js';
import type { RowWriter } from './writer.js';

/** How each format is written; FORMS.md says how each type reads in it. */
const WRITERS: Record<
  TextFormat,
  (text: TextBuffer, layout: Layout, strings: Strings) => RowWriter
> = {
  ndjson: (text, layout, strings) => new JsonRows(text, layout, 'ndjson', strings),
  json: (text, layout, strings) => new JsonRows(text, layout, 'json', strings),
  csv: (text, layout, strings) => new CsvRows(text, layout, 'csv', strings),
  tsv: (text, layout, strings) => new CsvRows(text, layout, 'tsv', strings),
  sql: (text, layout, strings) => new InsertRows(text, layout, 'sql', strings),
  postgres: (text, layout, strings) => new PostgresRows(text, layout, strings),
  sqlite: (text, layout, strings) => new InsertRows(text, layout, 'sqlite', strings),
  msgpack: (text, layout) => new RawRows(text, layout),
};

/** Makes a writer of rows of `layout` into `text`. */
export function rowWriter(
  format: TextFormat,
  text: TextBuffer,
  layout: Layout,
  invalidUtf8?: InvalidUtf8,
): RowWriter {
  return WRITERS[format](text, layout, new Strings(invalidUtf8));
}
