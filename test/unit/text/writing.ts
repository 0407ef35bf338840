import { equal } from 'node:assert/strict';
import { Catalog } from '../../../lib/schema/catalog/catalog.js';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { type RowOptions, rowWriter } from '../../../lib/text/formats.js';
import { type Layout, layoutOf, widened } from '../../../lib/text/layout.js';
import type { TextFormat } from '../../../lib/text/names.js';
import { memberCount } from '../../../lib/tuple/msgpack.js';
import { Row } from '../../../lib/tuple/row.js';
import { type Plain, pack } from '../../support/msgpack.js';

/** A field of a format: its name, its type, and its options. */
export type Field = readonly [name: string, type: string, more?: { is_nullable: boolean }];

/** An index: its name, the numbers of its fields from 0, and its options. */
export type IndexOf = readonly [name: string, fields: readonly number[], options?: object];

function addIndexes(
  catalog: Catalog,
  spaceId: number,
  fields: readonly Field[],
  indexes: readonly IndexOf[],
): void {
  for (const [id, [name, parts, options]] of indexes.entries()) {
    const typed = parts.map((field) => ({ field, type: fields[field]?.[1] ?? 'unsigned' }));
    const { type = 'tree', ...rest } = { ...options } as { type?: string };
    catalog.add(288, pack([spaceId, id, name, type, { unique: true, ...rest }, typed]));
  }
}

/** Returns the catalog of one space with the id 512. Its first index is the primary one. */
function catalogOf(fields: readonly Field[], indexes: readonly IndexOf[], space = 't'): Catalog {
  const catalog = new Catalog();
  const format = fields.map(([name, type, more]) => ({ name, type, ...more }));
  catalog.add(280, pack([512, 1, space, 'memtx', 0, {}, format]));
  addIndexes(catalog, 512, fields, indexes);
  return catalog;
}

/** Returns the layout of a space with these fields. */
export function layoutFor(
  fields: readonly Field[],
  {
    indexes = [['pk', [0]]],
    only,
    space,
  }: { indexes?: readonly IndexOf[]; only?: string[]; space?: string } = {},
): Layout {
  const catalog = catalogOf(fields, indexes, space);
  return layoutOf(catalog, catalog.spaces[0]!, only);
}

/** Returns the layout of one of several spaces, each with one field and indexes with these names. */
export function layoutOfMany(
  spaces: readonly (readonly [name: string, indexes: readonly string[]])[],
  wanted: string,
): Layout {
  const catalog = new Catalog();
  for (const [i, [name, indexes]] of spaces.entries()) {
    catalog.add(280, pack([512 + i, 1, name, 'memtx', 0, {}, [{ name: 'id', type: 'unsigned' }]]));
    addIndexes(
      catalog,
      512 + i,
      [],
      indexes.map((index) => [index, [0]]),
    );
  }
  return layoutOf(catalog, catalog.spaces.find(({ name }) => name === wanted)!);
}

/** Returns everything that is written for rows, each an array in MessagePack or as values. */
export function written(
  format: TextFormat,
  layout: Layout,
  rows: readonly Plain[],
  options: RowOptions = {},
): Buffer {
  const packed = rows.map(pack);
  const first = packed[0] === undefined ? 0 : memberCount(packed[0], 0);
  const whole = new TextBuffer();
  const writer = rowWriter({ format, ...options }, whole, widened(layout, first));
  writer.begin();
  for (const raw of packed) writer.row(new Row().read(raw, 0));
  writer.end();
  const bytes = whole.take();
  equal(bytes.compare(inPieces(format, widened(layout, first), packed, options)), 0);
  return bytes;
}

/** Does the same, each row in parts. */
function inPieces(
  format: TextFormat,
  layout: Layout,
  packed: readonly Buffer[],
  options: RowOptions,
): Buffer {
  const text = new TextBuffer();
  const taken: Buffer[] = [];
  const writer = rowWriter({ format, ...options }, text, layout);
  writer.begin();
  for (const raw of packed) {
    for (const _ of writer.pieces(new Row().read(raw, 0))) taken.push(text.take());
  }
  writer.end();
  return Buffer.concat([...taken, text.take()]);
}

/** Returns the same as a string. */
export function textOf(...args: Parameters<typeof written>): string {
  return written(...args).toString();
}
