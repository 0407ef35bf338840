import { Catalog } from '../../lib/schema/catalog.js';
import { TextBuffer } from '../../lib/text/buffer.js';
import { rowWriter } from '../../lib/text/formats.js';
import { type Layout, layoutOf, widened } from '../../lib/text/layout.js';
import type { TextFormat } from '../../lib/text/names.js';
import { Row } from '../../lib/text/row.js';
import { memberCount } from '../../lib/tuple/msgpack.js';
import { type Plain, pack } from '../support/msgpack.js';

/** A field of a format: its name, its type, and what else is said of it. */
export type Field = readonly [name: string, type: string, more?: { is_nullable: boolean }];

/** An index: its name, the numbers of its fields from 0, and its options. */
export type IndexOf = readonly [name: string, fields: readonly number[], options?: object];

/** The catalog of one space `t` with the id 512, whose first index is the primary one. */
export function catalogOf(fields: readonly Field[], indexes: readonly IndexOf[]): Catalog {
  const catalog = new Catalog();
  const format = fields.map(([name, type, more]) => ({ name, type, ...more }));
  catalog.add(280, pack([512, 1, 't', 'memtx', 0, {}, format]));
  for (const [id, [name, parts, options]] of indexes.entries()) {
    const typed = parts.map((field) => ({ field, type: fields[field]?.[1] ?? 'unsigned' }));
    const { type = 'tree', ...rest } = { ...options } as { type?: string };
    catalog.add(288, pack([512, id, name, type, { unique: true, ...rest }, typed]));
  }
  return catalog;
}

/** What is written of a space with such fields. */
export function layoutFor(
  fields: readonly Field[],
  { indexes = [['pk', [0]]], only }: { indexes?: readonly IndexOf[]; only?: string[] } = {},
): Layout {
  const catalog = catalogOf(fields, indexes);
  return layoutOf(catalog, catalog.spaces[0]!, only);
}

/** All that is written of rows, each an array in MessagePack or to be made one. */
export function written(
  format: TextFormat,
  layout: Layout,
  rows: readonly (readonly Plain[])[],
): Buffer {
  const text = new TextBuffer();
  const packed = rows.map(pack);
  const first = packed[0] === undefined ? 0 : memberCount(packed[0], 0);
  const writer = rowWriter(format, text, widened(layout, first));
  writer.begin();
  for (const raw of packed) writer.row(new Row().read(raw, 0));
  writer.end();
  return text.take();
}

/** The same as a string. */
export function textOf(...args: Parameters<typeof written>): string {
  return written(...args).toString();
}
