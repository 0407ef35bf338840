import { equal } from 'node:assert/strict';
import { Catalog } from '../../../lib/schema/catalog/catalog.js';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { type RowOptions, rowWriter } from '../../../lib/text/formats.js';
import { type Layout, layoutOf, widened } from '../../../lib/text/layout.js';
import type { TextFormat } from '../../../lib/text/names.js';
import { memberCount } from '../../../lib/tuple/msgpack.js';
import { Row } from '../../../lib/tuple/row.js';
import { type Plain, pack } from '../../support/msgpack.js';

/** A field of a format: its name, its type, and what else is said of it. */
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

/** The catalog of one space with the id 512, whose first index is the primary one. */
function catalogOf(fields: readonly Field[], indexes: readonly IndexOf[], space = 't'): Catalog {
  const catalog = new Catalog();
  const format = fields.map(([name, type, more]) => ({ name, type, ...more }));
  catalog.add(280, pack([512, 1, space, 'memtx', 0, {}, format]));
  addIndexes(catalog, 512, fields, indexes);
  return catalog;
}

/** What is written of a space with such fields. */
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

/** What is written of one of several spaces, each with one field and indexes of such names. */
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

/** All that is written of rows, each an array in MessagePack or to be made one. */
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

/** The same, each row a part after the other. */
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

/** The same as a string. */
export function textOf(...args: Parameters<typeof written>): string {
  return written(...args).toString();
}
