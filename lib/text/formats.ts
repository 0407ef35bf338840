import { TntarError } from '../base/errors.js';
import { quoted } from '../base/report.js';
import type { TextBuffer } from './buffer.js';
import { type CsvOptions, CsvRows } from './csv.js';
import { InsertRows } from './insert.js';
import type { Layout } from './layout.js';
import { RawRows } from './msgpack.js';
import { type InvalidUtf8, TEXT_FORMATS, type TextFormat } from './names.js';
import { JsonRows } from './ndjson.js';
import { PostgresRows } from './postgres.js';
import { Strings } from './strings.js';
import type { RowWriter } from './writer.js';

/** Options of rows. */
export interface RowOptions extends CsvOptions {
  /** The text format; default `ndjson`. */
  format?: TextFormat | undefined;
  /** The handling of strings that are not valid UTF-8; default `error`. */
  invalidUtf8?: InvalidUtf8 | undefined;
}

/** The writers by format; docs/reference/text-forms.md has the text of each type. */
const WRITERS: Record<
  TextFormat,
  (text: TextBuffer, layout: Layout, strings: Strings, options: RowOptions) => RowWriter
> = {
  ndjson: (text, layout, strings) => new JsonRows(text, layout, 'ndjson', strings),
  json: (text, layout, strings) => new JsonRows(text, layout, 'json', strings),
  csv: (text, layout, strings, options) => new CsvRows(text, layout, 'csv', strings, options),
  tsv: (text, layout, strings, options) => new CsvRows(text, layout, 'tsv', strings, options),
  sql: (text, layout, strings) => new InsertRows(text, layout, 'sql', strings),
  postgres: (text, layout, strings) => new PostgresRows(text, layout, strings),
  sqlite: (text, layout, strings) => new InsertRows(text, layout, 'sqlite', strings),
  msgpack: (text, layout) => new RawRows(text, layout),
};

const SPREADSHEETS: readonly TextFormat[] = ['csv', 'tsv'];

/**
 * Returns a writer of rows of `layout` into `text`.
 *
 * @throws TntarError of kind `usage` for an option that the format does not support
 */
export function rowWriter(options: RowOptions, text: TextBuffer, layout: Layout): RowWriter {
  const { format = 'ndjson', invalidUtf8, escapeFormulas = false } = options;
  if (!TEXT_FORMATS.includes(format)) {
    throw new TntarError('usage', `text format ${quoted(format)} does not exist`, {
      hint: `use one of ${TEXT_FORMATS.join(', ')}`,
    });
  }
  if (escapeFormulas && !SPREADSHEETS.includes(format)) {
    throw new TntarError('usage', `formulas can be escaped in csv and tsv only, not in ${format}`, {
      hint: 'use --format csv or tsv, or leave --escape-formulas out',
    });
  }
  return WRITERS[format](text, layout, new Strings(invalidUtf8), options);
}
