import type { TextBuffer } from './buffer.js';
import { CsvRows } from './csv.js';
import { InsertRows } from './insert.js';
import type { Layout } from './layout.js';
import type { TextFormat } from './names.js';
import { JsonRows } from './ndjson.js';
import { PostgresRows } from './postgres.js';
import { RawRows } from './raw.js';
import type { RowWriter } from './writer.js';

/** How each format is written; FORMS.md says how each type reads in it. */
const WRITERS: Record<TextFormat, (text: TextBuffer, layout: Layout) => RowWriter> = {
  ndjson: (text, layout) => new JsonRows(text, layout, 'ndjson'),
  json: (text, layout) => new JsonRows(text, layout, 'json'),
  csv: (text, layout) => new CsvRows(text, layout, 'csv'),
  tsv: (text, layout) => new CsvRows(text, layout, 'tsv'),
  sql: (text, layout) => new InsertRows(text, layout, 'sql'),
  postgres: (text, layout) => new PostgresRows(text, layout),
  sqlite: (text, layout) => new InsertRows(text, layout, 'sqlite'),
  msgpack: (text, layout) => new RawRows(text, layout),
};

/** Something that writes rows of `layout` into `text`. */
export function rowWriter(format: TextFormat, text: TextBuffer, layout: Layout): RowWriter {
  return WRITERS[format](text, layout);
}
